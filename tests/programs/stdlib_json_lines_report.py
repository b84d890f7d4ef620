import json
from collections import Counter, defaultdict

LOG = """\
{"user": "ann", "action": "login", "ms": 120}
{"user": "bob", "action": "login", "ms": 98}
{"user": "ann", "action": "upload", "ms": 2310, "size": 10485760}
not json at all
{"user": "cid", "action": "logout", "ms": 12}
{"user": "ann", "action": "logout"}
"""

with open("events.jsonl", "w", encoding="utf-8") as fh:
    fh.write(LOG)

actions = Counter()
times = defaultdict(list)
bad = []
with open("events.jsonl", encoding="utf-8") as fh:
    for number, line in enumerate(fh, 1):
        try:
            event = json.loads(line)
        except json.JSONDecodeError as exc:
            bad.append((number, str(exc)))
            continue
        actions[event["action"]] += 1
        times[event["user"]].append(event.get("ms", 0))

for action, count in actions.most_common():
    print(f"{action:<8} {count}")
for user in sorted(times):
    values = times[user]
    print(f"{user}: total={sum(values)} max={max(values)} mean={sum(values) / len(values):.2f}")
print("bad lines:", bad)
with open("summary.json", "w") as fh:
    json.dump({"actions": actions, "users": sorted(times)}, fh, indent=4)
print(open("summary.json").read())
