import atexit


def countdown(n):
    while n:
        print("tick", n)
        n -= 1
        if n == 1:
            raise KeyboardInterrupt("user pressed ctrl-c")


atexit.register(print, "atexit after interrupt")
try:
    countdown(4)
finally:
    print("finally block", flush=True)
