import sys
import traceback


def hook(etype, value, tb):
    names = [f.name for f in traceback.extract_tb(tb)]
    print(f"HOOK {etype.__name__}: {value} (frames: {' > '.join(names)})")
    print("crash report written", file=sys.stderr)


def level1():
    level2()


def level2():
    return [1, 2, 3][10]


sys.excepthook = hook
try:
    level1()
except IndexError as e:
    print("handled", e)
level1()
print("unreachable")
