import sys
import weakref


class Resource:
    def __init__(self, name):
        self.name = name
        print("open", name)

    def __del__(self):
        print("close", self.name, "| print available:", print is not None, "| sys:", sys is not None)


a = Resource("a")
b = Resource("b")
_private = Resource("_private")
cycle = [Resource("in cycle")]
cycle.append(cycle)
holder = {"k": Resource("in dict")}
weakref.finalize(a, print, "finalize for a runs at exit")
tmp = Resource("tmp")
del tmp
Resource("anonymous")
print("end of main")
