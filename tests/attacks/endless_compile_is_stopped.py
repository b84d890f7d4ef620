#: promise = "A job that does nothing but compile source is stopped at the deadline"
#: wall_clock_ms = 600
#: outcome = ["time_limit"]
source = "\n".join(f"def f{n}(a, b=[1, 2, {n}]): return a + b[{n}] * (a - {n})" for n in range(3000))
while True:
    compile(source, "generated", "exec")
