import cProfile
import io
import pstats
import timeit
import sys

t = timeit.Timer("total += x", "total = 0; x = 2")
print(isinstance(t.timeit(number=1000), float), len(t.repeat(3, 10)), timeit.timeit("pass", number=1) >= 0)
runs = []
timeit.timeit(lambda: runs.append(len(runs)), number=5)
print(runs, t.autorange()[0] >= 1)
try:
    timeit.timeit("1 +")
except SyntaxError as e:
    print("SyntaxError:", e.msg)


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def work():
    return sum(fib(i) for i in range(8))


prof = cProfile.Profile()
prof.enable()
value = work()
prof.disable()
stats = pstats.Stats(prof, stream=io.StringIO())
print(value)
for (filename, line, name), (cc, nc, tt, ct, callers) in sorted(stats.stats.items(), key=lambda kv: kv[0][2]):
    if name in ("fib", "work", "<genexpr>"):
        print(name, "primitive", cc, "total", nc, "callers", sorted(k[2] for k in callers), tt <= ct + 1e-9)
out = io.StringIO()
pstats.Stats(prof, stream=out).strip_dirs().sort_stats("name").print_stats("fib")
print([l.split()[0] for l in out.getvalue().splitlines() if l.rstrip().endswith("(fib)")])

calls = []


def tracer(frame, event, arg):
    if event in ("call", "return") and frame.f_code.co_name == "fib":
        calls.append((event, frame.f_locals["n"]))


sys.setprofile(tracer)
fib(2)
sys.setprofile(None)
print(calls)
