import sys


def attempt(n):
    try:
        print("attempt", n)
        if n == 1:
            raise ValueError("lost exception")
        if n == 2:
            sys.exit(2)
    finally:
        print("finally", n)
        if n == 2:
            raise SystemExit(22)


attempt(0)
try:
    attempt(1)
except ValueError as e:
    print("caught", e)
try:
    try:
        1 / 0
    finally:
        sys.exit(5)
except SystemExit as e:
    print("exit", e.code, "context", repr(e.__context__))
attempt(2)
