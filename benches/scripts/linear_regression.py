import math
import random

random.seed(11)
xs = [x / 2 for x in range(40)]
ys = [3.2 * x + 7 + random.gauss(0, 2.5) for x in xs]


def mean(values):
    return sum(values) / len(values)


def fit(xs, ys):
    mx, my = mean(xs), mean(ys)
    slope = sum((x - mx) * (y - my) for x, y in zip(xs, ys)) / sum((x - mx) ** 2 for x in xs)
    return slope, my - slope * mx


def gradient_descent(xs, ys, rate=0.005, epochs=150):
    slope = intercept = 0.0
    n = len(xs)
    for _ in range(epochs):
        errors = [slope * x + intercept - y for x, y in zip(xs, ys)]
        slope -= rate * 2 / n * sum(e * x for e, x in zip(errors, xs))
        intercept -= rate * 2 / n * sum(errors)
    return slope, intercept


def r_squared(xs, ys, slope, intercept):
    predictions = [slope * x + intercept for x in xs]
    residual = sum((y - p) ** 2 for y, p in zip(ys, predictions))
    return 1 - residual / sum((y - mean(ys)) ** 2 for y in ys)


for name, (slope, intercept) in {"least squares": fit(xs, ys), "gradient descent": gradient_descent(xs, ys)}.items():
    print(f"{name:<17} y = {slope:.4f}x + {intercept:.4f}, R2 = {r_squared(xs, ys, slope, intercept):.4f}")

slope, intercept = fit(xs, ys)
residuals = [y - (slope * x + intercept) for x, y in zip(xs, ys)]
print(f"RMSE: {math.sqrt(mean([r * r for r in residuals])):.4f}")
for x in (20, 25):
    print(f"prediction for {x}: {slope * x + intercept:.2f}")
