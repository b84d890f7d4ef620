#: promise = "Recursion through repr, comparison, hash, length, call and arithmetic raises RecursionError or ends in a named limit"
#: wall_clock_ms = 20000
#: outcome = ["completed", "stack_overflow"]
#: exit_code = 0
#: stdout = "ok\n"
import operator


class Hostile:
    __repr__ = lambda self: repr(self)
    __str__ = lambda self: str(self)
    __eq__ = lambda self, other: self == other
    __lt__ = lambda self, other: self < other
    __hash__ = lambda self: hash(self)
    __len__ = lambda self: len(self)
    __bool__ = lambda self: bool(self)
    __call__ = lambda self: self()
    __iter__ = lambda self: iter(self)
    __next__ = lambda self: next(self)
    __add__ = lambda self, other: self + other
    __radd__ = lambda self, other: other + self
    __getitem__ = lambda self, key: self[key]
    __contains__ = lambda self, key: key in self
    __index__ = lambda self: operator.index(self)
    __format__ = lambda self, spec: format(self, spec)


x = Hostile()
uses = [repr, str, hash, len, bool, Hostile.__call__, iter, next, operator.index, format, lambda x: x == x, lambda x: x < x]
uses += [lambda x: x + 1, lambda x: 1 + x, lambda x: x[0], lambda x: 0 in x, lambda x: {x}, lambda x: "%s" % x, lambda x: f"{x}"]
for use in uses:
    try:
        use(x)
    except RecursionError:
        continue
    raise AssertionError("the call returned")
print("ok")
