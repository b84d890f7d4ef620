import builtins

print(type(builtins.exit).__name__, "exit" in dir(builtins), "quit" in dir(builtins))
print(repr(exit), repr(quit))
try:
    quit("nested")
except SystemExit as e:
    print("quit raised", e.code)


def menu(choice):
    match choice:
        case 1:
            print("one")
        case 2:
            print("two")
        case _:
            print("exiting")
            exit(4)


for c in (1, 2, 9, 1):
    menu(c)
