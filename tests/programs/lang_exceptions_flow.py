import sys


class AppError(Exception):
    def __init__(self, message, code=1):
        super().__init__(message)
        self.code = code

    def __str__(self):
        return f"[{self.code}] {super().__str__()}"


class NotFound(AppError, LookupError):
    pass


def step(kind):
    try:
        print(f"try {kind}", end=" ")
        if kind == "return":
            return "returned"
        if kind == "raise":
            raise NotFound("thing", 404)
        if kind == "key":
            {}["k"]
    except LookupError as e:
        print("except", type(e).__name__, e, end=" ")
        return "handled"
    else:
        print("else", end=" ")
    finally:
        print("finally", end=" ")
    return "end"


for k in ("ok", "return", "raise", "key"):
    print(step(k))


def loop():
    out = []
    for i in range(5):
        try:
            if i == 1:
                continue
            if i == 3:
                break
            out.append(i)
        finally:
            out.append(f"f{i}")
    else:
        out.append("else")
    return out


print(loop())
try:
    try:
        1 / 0
    except ZeroDivisionError as e:
        raise AppError("wrapped", 7) from e
except AppError as e:
    print(e, repr(e), e.args, repr(e.__cause__), e.__suppress_context__, repr(e.__context__))
try:
    try:
        [][1]
    except IndexError:
        raise KeyError("hidden") from None
except KeyError as e:
    print(repr(e), e.__cause__, e.__suppress_context__)
e = ValueError("with notes")
e.add_note("first note")
e.add_note("second note")
print(e.__notes__, e.with_traceback(None) is e)
try:
    e.add_note(5)
except TypeError as t:
    print(t)
for src in ("raise 5", "raise ValueError from 3", "assert 0, ('msg', 1)", "int('x', 3)", "[].pop()", "'a' + 1", "len(5)", "undefined", "import nope_mod", "(1).foo", "{}.a.b", "1 << -1",
            "'%d' % 'x'", "[1, 2].index(3)", "next(iter([]))", "{1: 2}.popitem(3)", "bytes([300])", "chr(-1)", "float('1e')", "range(1, 2, 0)", "sorted([1, 'a'])", "hash([])", "iter(5)",
            "abs('x')", "str(b'x', 'ascii', 'bogus') + b''", "type('X', (object, object), {})", "5()", "[1][1.0]", "'abc'.encode('nope')", "complex('1+')", "0 ** -1"):
    try:
        exec(src)
        print(src, "ok")
    except Exception as ex:
        print(f"{src:32} {type(ex).__name__}: {ex}")
print(sys.exception(), issubclass(NotFound, LookupError), [c.__name__ for c in UnicodeDecodeError.__mro__])
