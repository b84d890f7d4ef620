#: promise = "isinstance and issubclass with deeply nested tuples raise RecursionError or say no"
#: outcome = ["completed", "stack_overflow"]
#: exit_code = 0
#: stdout = "ok\n"
deep = str
for _ in range(10**5):
    deep = (deep,)


def raising():
    try:
        raise ValueError
    except deep:
        pass


for use in (lambda: isinstance(1, deep), lambda: issubclass(int, deep), lambda: "a".startswith(deep)):
    try:
        assert not use(), "the check said yes"
    except (RecursionError, TypeError):
        pass
try:
    raising()
except (RecursionError, TypeError, ValueError):
    print("ok")
