import sys


def run(steps):
    for i, ok in enumerate(steps):
        print("step", i, "ok" if ok else "failed")
        if not ok:
            return -(i + 1)
    return 0


print(run([True, True]))
status = run([True, False, True])
print("status", status)
sys.exit(status)
