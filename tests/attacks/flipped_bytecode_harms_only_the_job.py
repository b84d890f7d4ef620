#: promise = "Code objects with single wrong operands, which read far outside their tables, harm the job only"
#: wall_clock_ms = 2000
#: outcome = ["completed", "crashed", "time_limit", "stack_overflow", "memory_limit"]
#: stdout_has = ["before"]
import opcode

LOAD_FAST, LOAD_CONST, RETURN, EXTENDED = (opcode.opmap[name] for name in ("LOAD_FAST", "LOAD_CONST", "RETURN_VALUE", "EXTENDED_ARG"))


def victim():
    return None


print("before", flush=True)
original = victim.__code__
for load in (LOAD_CONST, LOAD_FAST):
    for high in (0, 1, 64, 127, 128, 255):
        code = bytes([EXTENDED, high, EXTENDED, 0, EXTENDED, 0, load, 200, RETURN, 0])
        try:
            victim.__code__ = original.replace(co_code=code)
            repr(victim())
        except BaseException:
            pass
