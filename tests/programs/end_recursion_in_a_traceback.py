"""The traceback of a recursion that went too deep, caught and uncaught."""
import traceback


def down():
    down()


try:
    down()
except RecursionError:
    print("\n".join(traceback.format_exc().splitlines()[-4:]))
down()
