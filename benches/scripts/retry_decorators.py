import functools
import itertools


def retry(times, exceptions=(Exception,)):
    def decorator(function):
        @functools.wraps(function)
        def wrapper(*args, **kwargs):
            for attempt in range(1, times + 1):
                try:
                    return function(*args, **kwargs)
                except exceptions as error:
                    print(f"  {function.__name__}: attempt {attempt} failed ({error})")
                    if attempt == times:
                        raise
        return wrapper
    return decorator


def count_calls(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        wrapper.calls += 1
        return function(*args, **kwargs)
    wrapper.calls = 0
    return wrapper


answers = itertools.chain([ConnectionError("timeout"), ConnectionError("reset"), "payload"], itertools.repeat("cached"))


@retry(times=3, exceptions=(ConnectionError,))
@count_calls
def download(url):
    answer = next(answers)
    if isinstance(answer, Exception):
        raise answer
    return f"{url}: {answer}"


print(download("example.com"), download("example.org"), sep="\n")
print(download.__name__, download.__wrapped__.calls, "calls")
multiply = functools.partial(functools.reduce, lambda a, b: a * b)
print(multiply(range(1, 11)), functools.reduce(lambda a, b: a + b, ["x", "y", "z"]))
