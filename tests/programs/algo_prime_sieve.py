import math
from collections import Counter
from itertools import pairwise


def sieve(limit):
    flags = bytearray([1]) * (limit + 1)
    flags[:2] = b"\0\0"
    for i in range(2, math.isqrt(limit) + 1):
        if flags[i]:
            flags[i * i::i] = bytes(len(range(i * i, limit + 1, i)))
    return [i for i, f in enumerate(flags) if f]


def factorize(n):
    out, p = Counter(), 2
    while p * p <= n:
        while n % p == 0:
            out[p] += 1
            n //= p
        p += 1 if p == 2 else 2
    if n > 1:
        out[n] += 1
    return out


def totient(n):
    for p in factorize(n):
        n -= n // p
    return n


primes = sieve(100_000)
print(len(primes), primes[:10], primes[-3:])
gaps = Counter(b - a for a, b in pairwise(primes))
print(gaps.most_common(5), max(gaps), [p for p, q in pairwise(primes) if q - p == max(gaps)])
print([(p, q) for p, q in pairwise(primes) if q - p == 2][:6])
for n in (360, 97, 1001, 2**20, 600851475143, 999999):
    f = factorize(n)
    print(n, "=", " x ".join(f"{p}^{e}" if e > 1 else str(p) for p, e in sorted(f.items())), "totient", totient(n), "divisors", math.prod(e + 1 for e in f.values()))
print([n for n in range(2, 10000) if sum(d for i in range(1, math.isqrt(n) + 1) if n % i == 0 for d in {i, n // i}) == 2 * n])
for exp in range(2, 6):
    n = 10**exp
    count = sum(p <= n for p in primes)
    print(f"pi({n:>6}) = {count:>5}  n/ln n = {n / math.log(n):.1f}")
pset = set(primes)
print(all(any(n - p in pset for p in primes if p <= n // 2) for n in range(4, 500, 2)))
