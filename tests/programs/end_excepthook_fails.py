import sys


def bad_hook(etype, value, tb):
    print("hook called for", etype.__name__)
    raise TypeError("hook is broken")


def displayed(value):
    print("displayhook got", value)


sys.displayhook = displayed
exec(compile("1 + 1", "<single>", "single"))
sys.excepthook = bad_hook
print("raising")
raise ValueError("original problem")
