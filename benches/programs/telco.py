"""Telephone billing in decimal arithmetic, on call durations made up in the file."""

from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Context, Decimal, localcontext

CALLS = 20000
ROUNDS = 15

CENT = Decimal("0.01")
RATES = (Decimal("0.0013"), Decimal("0.00894"))  # per second: local, distance
BASIC_TAX = Decimal("0.0675")
DISTANCE_TAX = Decimal("0.0341")


def make_durations(n):
    """Call lengths in seconds: mostly short, a few long, from a fixed generator."""
    durations = []
    seed = 20240229
    for _ in range(n):
        seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
        a = (seed >> 8) % 600
        seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
        b = (seed >> 8) % 20
        durations.append(a * (12 if b == 0 else 1) + (seed >> 16) % 60)
    return durations


def bill(durations):
    total = basic_total = distance_total = Decimal(0)
    lines = []
    for seconds in durations:
        distance = seconds & 1
        price = (Decimal(seconds) * RATES[distance]).quantize(CENT, ROUND_HALF_EVEN)
        tax = (price * BASIC_TAX).quantize(CENT, ROUND_DOWN)
        basic_total += tax
        line = price + tax
        if distance:
            tax = (price * DISTANCE_TAX).quantize(CENT, ROUND_DOWN)
            distance_total += tax
            line += tax
        total += line
        lines.append(str(line))
    return str(total), str(basic_total), str(distance_total), sum(map(len, lines))


def bench() -> object:
    durations = make_durations(CALLS)
    with localcontext(Context(prec=28)):
        result = None
        for _ in range(ROUNDS):
            result = bill(durations)
    return result


if __name__ == "__main__":
    print(bench())
