"""What other modules compute with the C library's mathematics."""
import colorsys
import decimal
import fractions
import hashlib
import random
import sqlite3
import statistics

random.seed(7)
for draw in (random.random, lambda: random.gauss(0, 1), lambda: random.normalvariate(1, 2), lambda: random.expovariate(0.7),
             lambda: random.lognormvariate(0, 0.5), lambda: random.betavariate(2, 3), lambda: random.gammavariate(2.5, 1.5),
             lambda: random.vonmisesvariate(1, 4), lambda: random.paretovariate(3), lambda: random.weibullvariate(1, 1.5),
             lambda: random.triangular(0, 10, 3), lambda: random.binomialvariate(100, 0.3)):
    values = [draw() for _ in range(2000)]
    print(values[0], hashlib.sha256(repr(values).encode()).hexdigest()[:16])

normal = statistics.NormalDist(100, 15)
print([normal.cdf(x) for x in (55, 70, 99.5, 130)], normal.pdf(110), normal.inv_cdf(0.975), normal.overlap(statistics.NormalDist(110, 12)))
data = [random.uniform(1, 50) for _ in range(500)]
print(statistics.geometric_mean(data), statistics.harmonic_mean(data), statistics.stdev(data), statistics.fmean(data))
print(statistics.correlation(data, sorted(data)), statistics.linear_regression(data, sorted(data)))
print(statistics.kde(data[:20], h=1.5, kernel="normal")(20.0), statistics.kde(data[:20], h=1.5, kernel="logistic")(20.0))

db = sqlite3.connect(":memory:")
for name in ("acos asin atan acosh asinh atanh ceil cos cosh degrees exp floor ln log10 log2 radians sin sinh sqrt tan tanh "
             "trunc").split():
    answers = [db.execute(f"select {name}(?)", (x / 7 + (1 if name == "acosh" else 0),)).fetchone()[0] for x in range(0, 7)]
    print(name, answers)
print(db.execute("select pow(2.5, 3.7), power(3, 0.3), atan2(1, 3), mod(7.5, 2), log(3, 10), pi(), exp(1)").fetchone())
texts = [db.execute("select cast(? as text), cast(cast(? as text) as real), printf('%.15g %.3f', ?, ?)", (x, x, x, x)).fetchone()
         for x in (0.1, 1 / 3, 1e23, 5e-324, 1.7976931348623157e308, 123456789.123456789, 2**53 + 1.0, 1e15, 1e-7)]
print(texts)
db.execute("create table t(x real)")
db.executemany("insert into t values (?)", [(x,) for x in data])
print(db.execute("select sum(x), avg(x), total(x), round(sum(x), 3) from t").fetchone())
random_reals = [random.uniform(-1, 1) * 10 ** random.randint(-300, 300) for _ in range(3000)]
print(hashlib.sha256(repr([db.execute("select ? || ''", (x,)).fetchone() for x in random_reals]).encode()).hexdigest()[:16])

print(colorsys.rgb_to_hls(0.3, 0.6, 0.1), colorsys.yiq_to_rgb(0.5, 0.1, -0.2))
print(fractions.Fraction(3, 7) ** 0.5, decimal.Decimal(2).sqrt(), float(decimal.Decimal(2).ln()), 2 ** 0.5, (-8) ** (1 / 3))
print([float(f"{x!r}") == x for x in random_reals].count(False), [format(x, ".17g") for x in random_reals[:3]])
