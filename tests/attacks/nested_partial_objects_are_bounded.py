#: promise = "Calling a hundred thousand partial objects inside each other harms the job only"
#: outcome = ["completed", "stack_overflow"]
#: exit_code = 0
#: stdout = "ok\n"
import functools

call = int
for _ in range(10**5):
    call = functools.partial(call)
    call.mark = True
for use in (lambda: call(), lambda: repr(call)):
    try:
        use()
    except RecursionError:
        pass
print("ok")
