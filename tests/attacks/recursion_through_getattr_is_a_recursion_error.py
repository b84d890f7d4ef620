#: promise = "Recursion through attribute access raises RecursionError"
#: outcome = ["completed", "stack_overflow"]
#: exit_code = 0
#: stdout = "ok\n"
class Hostile:
    def __getattr__(self, name):
        return getattr(self, name + "x")

    def __setattr__(self, name, value):
        setattr(self, name, value)

    def __delattr__(self, name):
        delattr(self, name)


hostile = Hostile()
for use in (lambda: hostile.x, lambda: setattr(hostile, "x", 1), lambda: delattr(hostile, "x"), lambda: hasattr(hostile, "y")):
    try:
        use()
    except RecursionError:
        continue
    raise AssertionError("the access returned")
print("ok")
