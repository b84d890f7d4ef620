#: promise = "Advancing a hundred thousand iterators inside each other, which CPython does not guard, harms the job only"
#: outcome = ["completed", "stack_overflow"]
#: exit_code = 0
#: stdout = "ok\n"
import itertools

for wrap in (lambda x: map(int, x), lambda x: filter(None, x), lambda x: itertools.chain(x), lambda x: enumerate(x), lambda x: zip(x)):
    iterator = iter([1])
    for _ in range(10**5):
        iterator = wrap(iterator)
    try:
        next(iterator)
    except RecursionError:
        pass
print("ok")
