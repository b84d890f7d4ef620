import csv
import statistics
from io import StringIO

GRADES = """name,math,physics,history
Amira,92,88,79
Ben,75,64,81
Chloe,88,91,94
Dmitri,59,70,66
Elena,97,95,90
Farid,71,68,77
Grace,84,79,88
"""


def letter(score):
    for limit, grade in ((90, "A"), (80, "B"), (70, "C"), (60, "D")):
        if score >= limit:
            return grade
    return "F"


students = list(csv.DictReader(StringIO(GRADES)))
subjects = [field for field in students[0] if field != "name"]

print(f"{'Subject':<10}{'Mean':>8}{'Median':>8}{'Stdev':>8}{'Min':>6}{'Max':>6}")
for subject in subjects:
    scores = [int(student[subject]) for student in students]
    print(
        f"{subject:<10}{statistics.mean(scores):>8.2f}{statistics.median(scores):>8}"
        f"{statistics.stdev(scores):>8.2f}{min(scores):>6}{max(scores):>6}"
    )

averages = {s["name"]: statistics.fmean(int(s[subject]) for subject in subjects) for s in students}
print()
for name, average in sorted(averages.items(), key=lambda pair: -pair[1]):
    print(f"{name:<8}{average:6.1f}  {letter(average)}")

math, physics = ([int(s[subject]) for s in students] for subject in ("math", "physics"))
print(f"\nmath/physics correlation: {statistics.correlation(math, physics):.3f}")
print("quartiles of averages:", [round(q, 2) for q in statistics.quantiles(averages.values(), n=4)])
