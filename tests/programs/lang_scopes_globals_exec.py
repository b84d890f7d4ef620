import builtins

x = "module"


class Scope:
    x = "class"
    y = x
    z = [x for _ in range(1)]

    def method(self):
        return x


print(Scope.y, Scope.z, Scope().method())


def modify():
    global x, created
    x = "changed"
    created = [1]


modify()
print(x, created)


def outer():
    v = 1

    def mid():
        def inner():
            nonlocal v
            v += 1
            return v
        return inner() + v
    return mid(), v


print(outer())
ns = {"a": 5}
exec("b = a * 2\ndef f():\n    return b + a\nc = f()", ns)
print(ns["b"], ns["c"], sorted(k for k in ns if not k.startswith("__")))
print(eval("a + z", {"a": 1}, {"z": 2}), eval(compile("1 + 2", "<e>", "eval")), eval("[i for i in range(n)]", {"n": 3}))
loc = {}
exec("q = 1; w = q + 1", {}, loc)
print(loc)


def local_view():
    a = 1
    snapshot = locals()
    b = 2
    return sorted(snapshot), sorted(locals())


print(local_view())
try:
    eval("open('x')", {"__builtins__": {}})
except NameError as e:
    print("NameError:", e)
try:
    eval("x = 5")
except SyntaxError as e:
    print("SyntaxError:", e.msg, e.offset)
del created
try:
    created
except NameError as e:
    print(e)
try:
    print(pritn)
except NameError as e:
    print(e, e.name)
real = builtins.len
builtins.len = lambda o: -1
print(len("abc"))
builtins.len = real
print(len("abc"), "x" in globals(), callable(print), __name__, __doc__, "__file__" in globals())
try:
    raise ValueError
except ValueError as err:
    pass
try:
    err
except NameError as e:
    print(e)
for leaked in range(3):
    pass
print(leaked, (lambda *a, **k: (a, k))(1, b=2), type(lambda: 0).__name__)
