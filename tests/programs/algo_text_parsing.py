import re
from collections import defaultdict, namedtuple
from datetime import datetime, timedelta

LOG = '''
10.0.0.1 - - [10/Oct/2023:13:55:36 +0000] "GET /index.html HTTP/1.1" 200 2326
10.0.0.2 - bob [10/Oct/2023:13:55:40 +0000] "POST /login HTTP/1.1" 302 -
10.0.0.1 - - [10/Oct/2023:13:56:02 +0000] "GET /img/logo.png HTTP/1.1" 304 0
10.0.0.3 - - [10/Oct/2023:14:01:00 +0000] "GET /missing?x=1 HTTP/1.0" 404 512
this line is corrupt
10.0.0.2 - bob [10/Oct/2023:14:20:11 +0000] "DELETE /item/7 HTTP/1.1" 500 99
10.0.0.1 - - [10/Oct/2023:15:00:00 +0000] "GET /index.html HTTP/1.1" 200 2326
'''
Entry = namedtuple("Entry", "ip user when method path status size")
RX = re.compile(r'(\S+) \S+ (\S+) \[([^]]+)\] "(\w+) (\S+) [^"]*" (\d{3}) (\d+|-)$')


def parse(text):
    for n, line in enumerate(text.strip().splitlines(), 1):
        m = RX.match(line)
        if not m:
            print(f"line {n}: cannot parse {line!r}")
            continue
        ip, user, when, method, path, status, size = m.groups()
        yield Entry(ip, None if user == "-" else user, datetime.strptime(when, "%d/%b/%Y:%H:%M:%S %z"), method,
                    path.partition("?")[0], int(status), 0 if size == "-" else int(size))


entries = list(parse(LOG))
by_ip = defaultdict(list)
for e in entries:
    by_ip[e.ip].append(e)
for ip, es in by_ip.items():
    print(ip, len(es), "requests", sum(e.size for e in es), "bytes", sorted({e.status for e in es}))
print({c: sum(e.status // 100 == c for e in entries) for c in (2, 3, 4, 5)})
gap = timedelta(minutes=30)
for ip, es in by_ip.items():
    sessions, last = [[es[0]]], es[0].when
    for e in es[1:]:
        sessions.append([e]) if e.when - last > gap else sessions[-1].append(e)
        last = e.when
    print(ip, [[f"{e.when:%H:%M}" for e in s] for s in sessions])
slowest = max(zip(entries, entries[1:]), key=lambda p: p[1].when - p[0].when)
print("largest gap", slowest[1].when - slowest[0].when, slowest[0].path, slowest[1].path)
print(entries[1]._replace(when=None), entries[3].path)
