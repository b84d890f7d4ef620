import collections


class Robot:
    def __init__(self):
        self.velocity = 3
        self.heading = 90

    def status(self):
        return f"{self.velocity}@{self.heading}"


r = Robot()
print(r.status())
for attempt in ("r.velocty", "collections.OrderedDic", "prnt", "sys.path", "r.xyz"):
    try:
        eval(attempt)
    except (NameError, AttributeError) as e:
        print(type(e).__name__, e)
total_count = 5
print(total_count)
print(totl_count)
