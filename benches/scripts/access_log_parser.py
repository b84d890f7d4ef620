import re
from collections import Counter, defaultdict

LOG = """\
203.0.113.7 - - [12/Mar/2025:08:01:12 +0000] "GET /index.html HTTP/1.1" 200 5120
203.0.113.7 - - [12/Mar/2025:08:01:13 +0000] "GET /style.css HTTP/1.1" 200 812
198.51.100.4 - - [12/Mar/2025:08:02:40 +0000] "POST /login HTTP/1.1" 302 0
198.51.100.4 - - [12/Mar/2025:08:02:41 +0000] "GET /account HTTP/1.1" 200 9433
192.0.2.99 - - [12/Mar/2025:08:05:02 +0000] "GET /admin HTTP/1.1" 403 120
192.0.2.99 - - [12/Mar/2025:08:05:03 +0000] "GET /wp-login.php HTTP/1.1" 404 98
this line is broken
192.0.2.99 - - [12/Mar/2025:09:15:44 +0000] "GET /.env HTTP/1.1" 404 98
203.0.113.7 - - [12/Mar/2025:09:20:00 +0000] "GET /report.pdf HTTP/1.1" 500 311
"""

PATTERN = re.compile(
    r'(?P<ip>\S+) \S+ \S+ \[(?P<time>[^\]]+)\] "(?P<method>[A-Z]+) (?P<path>\S+) [^"]*" (?P<status>\d{3}) (?P<size>\d+)'
)

statuses, traffic, hours, skipped = Counter(), defaultdict(int), Counter(), 0
errors = []
for number, line in enumerate(LOG.splitlines(), start=1):
    match = PATTERN.match(line)
    if match is None:
        skipped += 1
        continue
    statuses[match["status"]] += 1
    traffic[match["ip"]] += int(match["size"])
    hours[match["time"].split(":")[1]] += 1
    if match["status"] >= "400":
        errors.append((number, match["status"], match["path"]))

print("Requests by status:", dict(sorted(statuses.items())))
print("Requests by hour:  ", dict(hours))
for ip, size in sorted(traffic.items(), key=lambda item: -item[1]):
    print(f"{ip:<16}{size / 1024:8.1f} KiB")
print("Errors:")
for number, status, path in errors:
    print(f"  line {number}: {status} {path}")
print("Lines skipped:", skipped)
