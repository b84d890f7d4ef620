import atexit
import sys


def change_code():
    print("handler raising SystemExit(9)")
    sys.exit(9)


def after():
    print("later handler still runs")


atexit.register(after)
atexit.register(change_code)
print("main body")
values = [x * x for x in range(5)]
print(values, sum(values))
