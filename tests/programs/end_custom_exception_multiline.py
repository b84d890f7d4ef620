import sys


class ValidationError(Exception):
    def __init__(self, field, problems):
        self.field = field
        self.problems = problems

    def __str__(self):
        return f"{self.field} is invalid:\n" + "\n".join(f"  - {p}" for p in self.problems)


class Outer:
    class Inner(Exception):
        __module__ = "fake.module"


try:
    raise Outer.Inner("nested name")
except Exception as e:
    print(type(e).__qualname__, type(e).__module__, e)
try:
    raise ValidationError("email", ["no @"])
except ValidationError as e:
    print(e)
print("flushing", flush=True)
print("progress on stderr", file=sys.stderr)
raise ValidationError("password", ["too short", "no digits", "ünïcode ✗"])
