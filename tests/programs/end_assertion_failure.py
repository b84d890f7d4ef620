def invariant(stack):
    assert stack == sorted(stack), f"not sorted: {stack}"
    return len(stack)


print(__debug__)
print(invariant([1, 2, 3]))
try:
    assert False
except AssertionError as e:
    print(repr(e), e.args)
try:
    assert 1 == 2, {"left": 1, "right": 2}
except AssertionError as e:
    print(e.args[0]["left"])
data = [3, 1, 2]
print("checking", data)
invariant(data)
