import sys


class Report:
    def __init__(self, failed):
        self.failed = failed

    def __str__(self):
        return f"Report: {len(self.failed)} failed -> {self.failed}"


results = {"lint": 0, "unit": 1, "docs": 2}
failed = [k for k, v in results.items() if v]
for k, v in results.items():
    print(f"{k:6} {'PASS' if v == 0 else 'FAIL'} ({v})")
if failed:
    raise SystemExit(Report(failed))
