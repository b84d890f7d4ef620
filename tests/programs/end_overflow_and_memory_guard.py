import math
import sys

for expr in ("2.0 ** 2000", "math.exp(1e4)", "int(float('inf'))", "'x' * -5", "[0] * 0", "math.factorial(20)", "(1 << 64).to_bytes(8)", "range(10**30)[5]", "round(1e308 * 10)"):
    try:
        print(expr, "=", eval(expr))
    except (OverflowError, ValueError) as e:
        print(expr, type(e).__name__, e)
print(sys.float_info.max, sys.float_info.epsilon, sys.float_info.dig)
values = [10.0]
for _ in range(10):
    values.append(values[-1] ** 2)
    print(values[-1])
