import traceback


def validate(record):
    errors = []
    if not record.get("name"):
        errors.append(ValueError("name is required"))
    if not isinstance(record.get("age"), int):
        errors.append(TypeError("age must be int"))
    elif record["age"] < 0:
        errors.append(ValueError("age negative"))
    if record.get("tags"):
        bad = [KeyError(t) for t in record["tags"] if t.startswith("_")]
        if bad:
            errors.append(ExceptionGroup("bad tags", bad))
    if errors:
        raise ExceptionGroup("invalid record", errors)
    return "valid"


for rec in ({"name": "A", "age": 3}, {"age": "x"}, {"name": "B", "age": -1, "tags": ["ok", "_a", "_b"]}):
    try:
        print(validate(rec))
    except* ValueError as eg:
        print("values:", [str(e) for e in eg.exceptions])
    except* (TypeError, KeyError) as eg:
        print("types/keys:", eg, repr(eg))

eg = ExceptionGroup("top", [ValueError(1), ExceptionGroup("mid", [TypeError(2), ValueError(3), OSError(4, "os")]), KeyError("k")])
match, rest = eg.split(ValueError)
print(match, match.exceptions, "|", rest.exceptions)
print(eg.subgroup(lambda e: isinstance(e, (OSError, KeyError))), eg.subgroup(MemoryError))
print("".join(traceback.format_exception(eg)))


def leaves(exc):
    if isinstance(exc, BaseExceptionGroup):
        for e in exc.exceptions:
            yield from leaves(e)
    else:
        yield exc


print([repr(e) for e in leaves(eg)])
try:
    try:
        raise eg
    except* ValueError:
        raise RuntimeError("while handling")
except ExceptionGroup as outer:
    print(outer.message, [type(e).__name__ for e in outer.exceptions])
try:
    try:
        raise ValueError("naked")
    except* ValueError as g:
        print("wrapped:", repr(g), g.message == "")
        raise
except ValueError as e:
    print("unexpected", e)
except ExceptionGroup as e:
    print("reraised group", e.exceptions)


class Custom(ExceptionGroup):
    def derive(self, excs):
        return Custom(self.message + " (derived)", excs)


c, _ = Custom("c", [ValueError(), TypeError()]).split(TypeError)
print(type(c).__name__, c)
for bad in (lambda: ExceptionGroup("x", []), lambda: ExceptionGroup("x", [5]), lambda: ExceptionGroup("x", [KeyboardInterrupt()]), lambda: ExceptionGroup(1, [ValueError()])):
    try:
        bad()
    except (TypeError, ValueError) as e:
        print(type(e).__name__, e)
print(type(BaseExceptionGroup("b", [ValueError()])).__name__, type(BaseExceptionGroup("b", [SystemExit()])).__name__)
