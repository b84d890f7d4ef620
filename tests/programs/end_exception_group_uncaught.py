def check(n):
    if n % 3 == 0:
        raise ValueError(f"{n} is divisible by three")
    if n % 5 == 0:
        raise TypeError(f"{n} is divisible by five")
    return n


def check_all(numbers):
    good, errors = [], []
    for n in numbers:
        try:
            good.append(check(n))
        except Exception as e:
            e.add_note(f"position {numbers.index(n)}")
            errors.append(e)
    if errors:
        raise ExceptionGroup(f"{len(errors)} checks failed", errors)
    return good


print(check_all([1, 2, 4]))
try:
    check_all([1, 2, 3, 4, 5])
except* ValueError as eg:
    print("handled", eg.exceptions)
