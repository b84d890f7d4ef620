import itertools


def read(lines):
    print("reader started")
    for line in lines:
        yield line.strip()
    print("reader finished")


def grep(pattern, source):
    for line in source:
        if pattern in line:
            yield line


def numbered(source, start=1):
    n = start
    for item in source:
        yield f"{n}: {item}"
        n += 1
    return n


def with_total(source):
    end = yield from numbered(source)
    yield f"total {end - 1}"


LINES = ["alpha error", "beta", "gamma error  ", "delta", "error"]
for out in with_total(grep("error", read(LINES))):
    print(out)
lazy = grep("a", read(LINES))
print(next(lazy))
lazy.close()


def averager():
    total = n = 0
    avg = None
    while True:
        avg = round((total := total + (yield avg)) / (n := n + 1), 3)


avg = averager()
next(avg)
print([avg.send(x) for x in (10, 20, 40)])


def primes():
    sieve = {}
    for q in itertools.count(2):
        if q not in sieve:
            yield q
            sieve[q * q] = [q]
        else:
            for p in sieve.pop(q):
                sieve.setdefault(p + q, []).append(p)


print(list(itertools.islice(primes(), 15)), sum(x * x for x in range(10) if x % 2), next((x for x in "abc" if x > "z"), None))
