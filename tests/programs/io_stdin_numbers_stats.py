# stdin:
#< 5
#< 3 1 4 1 5
#< 9 2
#< x 6
#< 5.5 -7e2
import sys
import statistics

n = int(input("How many? "))
print("expecting", n)
first = list(map(int, input().split()))
print("first row", first, sum(first))
numbers, errors = [], []
for line in sys.stdin.read().splitlines():
    for tok in line.split():
        try:
            numbers.append(float(tok))
        except ValueError as e:
            errors.append(str(e))
print(numbers, errors)
print(f"mean={statistics.mean(numbers):.3f} median={statistics.median(numbers)} min={min(numbers)} max={max(numbers)}")
print("sorted:", sorted(first + numbers))
try:
    input("prompt at eof: ")
except EOFError as e:
    print("EOFError:", e)
try:
    int("12a")
except ValueError as e:
    print(e)
print(sys.stdin.closed, sys.stdin.isatty(), sys.stdin.name, sys.stdin.mode)
