#: promise = "Shifting one to the far left raises MemoryError or OverflowError"
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
one = 1
for distance in (2**32, 2**34, 2**40, 2**62, 2**64, 2**100):
    try:
        one << distance
    except (MemoryError, OverflowError):
        continue
    raise AssertionError(f"1 << {distance} was allowed")
print("ok")
