import atexit
import logging
import sys
import tempfile
import weakref

logging.basicConfig(format="log %(levelname)s %(message)s", stream=sys.stdout)


class Node:
    def __init__(self, name):
        self.name = name

    def __del__(self):
        print("del", self.name)


def farewell(name):
    logging.warning("farewell %s", name)


n = Node("global node")
atexit.register(farewell, "one")
f = weakref.finalize(n, print, "weakref.finalize")
f.atexit = True
atexit.register(farewell, "two")
out = open("left_open.txt", "w")
out.write("data that is flushed when the file object dies")
tmp = tempfile.TemporaryDirectory(dir=".", ignore_cleanup_errors=True)
tmp.cleanup()


class Stream:
    def write(self, text):
        return sys.__stdout__.write(text.upper())

    def flush(self):
        sys.__stdout__.flush()


sys.stdout = Stream()
print("redirected")
sys.stdout = sys.__stdout__
print("normal")
raise SystemExit(11)
