import gc
import weakref


class Thing:
    def __init__(self, name):
        self.name = name

    def __repr__(self):
        return f"Thing({self.name!r})"

    def hello(self):
        return f"hello from {self.name}"


gc.collect()
t = Thing("a")
r = weakref.ref(t, lambda ref: print("callback: gone"))
print(r(), weakref.getweakrefcount(t))
p = weakref.proxy(t)
print(p.name, p.hello())
m = weakref.WeakMethod(t.hello)
print(m()())
f = weakref.finalize(t, print, "finalized", "with", "args")
print(f.alive)
del t
print(r(), f.alive, m())
try:
    p.name
except ReferenceError as e:
    print("ReferenceError:", e)

cache = weakref.WeakValueDictionary()
x, y = Thing("x"), Thing("y")
cache["x"], cache["y"] = x, y
del y
print(dict(cache), len(cache))
ws = weakref.WeakSet([x])
wk = weakref.WeakKeyDictionary({x: 1})
del x
print(len(ws), len(wk), len(cache))

a, b = Thing("ca"), Thing("cb")
a.other, b.other = b, a
weakref.finalize(a, print, "cycle collected")
del a, b
print("before collect")
print(gc.collect() >= 2)
print(gc.isenabled(), gc.is_tracked([]), gc.is_tracked(1))
gc.disable()
print(gc.isenabled())
gc.enable()
for bad in (1, "s", (1,), None):
    try:
        weakref.ref(bad)
    except TypeError as e:
        print(e)


class Slotted:
    __slots__ = ("v",)


try:
    weakref.ref(Slotted())
except TypeError as e:
    print(e)
last = Thing("last")
weakref.finalize(last, print, "finalize at exit")
