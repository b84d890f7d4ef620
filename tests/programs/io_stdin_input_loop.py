# stdin:
#< deposit 100
#< withdraw 30
#< withdraw 500
#< deposit abc
#< 
#< balance
#< dance
#< quit
balance = 0
history = []
while True:
    try:
        line = input(f"[{balance}]> ")
    except EOFError:
        print("\nEOF")
        break
    parts = line.split()
    match parts:
        case []:
            print("(empty)")
        case ["deposit", amount] if amount.isdigit():
            balance += int(amount)
            history.append(("+", int(amount)))
            print("deposited", amount)
        case ["withdraw", amount] if amount.isdigit():
            if int(amount) > balance:
                print("insufficient funds")
                continue
            balance -= int(amount)
            history.append(("-", int(amount)))
            print("withdrew", amount)
        case ["balance"]:
            print("balance is", balance)
        case ["quit" | "exit"]:
            print("bye")
            break
        case [cmd, *rest]:
            print("bad command", cmd, rest)
print(history, "final", balance)
try:
    extra = input()
    print("extra line:", repr(extra))
except EOFError as e:
    print("EOFError:", e)
