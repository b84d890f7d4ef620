import math


def sieve(limit: int) -> list[int]:
    is_prime = bytearray([1]) * (limit + 1)
    is_prime[0:2] = b"\x00\x00"
    for number in range(2, math.isqrt(limit) + 1):
        if is_prime[number]:
            is_prime[number * number :: number] = bytes(len(range(number * number, limit + 1, number)))
    return [number for number, flag in enumerate(is_prime) if flag]


def factorize(number: int, primes: list[int]) -> dict[int, int]:
    factors = {}
    for prime in primes:
        if prime * prime > number:
            break
        while number % prime == 0:
            factors[prime] = factors.get(prime, 0) + 1
            number //= prime
    if number > 1:
        factors[number] = 1
    return factors


primes = sieve(10_000)
print(f"{len(primes)} primes up to 10000; first: {primes[:10]}; last: {primes[-3:]}")
twins = [(p, q) for p, q in zip(primes, primes[1:]) if q - p == 2]
print(f"{len(twins)} twin pairs, the largest {twins[-1]}")
gap, start = max((q - p, p) for p, q in zip(primes, primes[1:]))
print(f"largest gap {gap} after {start}")
for number in (360, 9_973, 1_234_567, 99_999_999):
    parts = [f"{p}^{e}" if e > 1 else str(p) for p, e in factorize(number, primes).items()]
    print(f"{number} = {' x '.join(parts)}")
