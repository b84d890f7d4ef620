import bisect
import heapq
from dataclasses import dataclass, field
from itertools import count

h = []
for n in [9, 4, 7, 1, 8, 2]:
    heapq.heappush(h, n)
    print(h)
print([heapq.heappop(h) for _ in range(len(h))])
nums = [5, 1, 9, 3, 7]
heapq.heapify(nums)
print(nums, heapq.heappushpop(nums, 4), heapq.heapreplace(nums, 6), nums)
words = ["kiwi", "fig", "banana", "apple", "date"]
print(heapq.nlargest(2, words, key=len), heapq.nsmallest(3, words))
print(list(heapq.merge([1, 4, 7], [2, 5, 8], [0, 9])), list(heapq.merge([9, 1], [7], reverse=True)))
mx = []
for n in (3, 9, 5):
    heapq.heappush_max(mx, n)
print(mx, heapq.heappop_max(mx), mx)


@dataclass(order=True)
class Task:
    priority: int
    seq: int
    name: str = field(compare=False)


tick = count()
tasks = []
for prio, name in [(2, "write"), (1, "plan"), (2, "review"), (0, "coffee")]:
    heapq.heappush(tasks, Task(prio, next(tick), name))
while tasks:
    print(heapq.heappop(tasks))

grades = [60, 70, 80, 90]
print([("FDCBA")[bisect.bisect(grades, s)] for s in (33, 99, 77, 70, 89, 90, 100)])
s = [1, 3, 3, 3, 5]
print(bisect.bisect_left(s, 3), bisect.bisect_right(s, 3), bisect.bisect_left(s, 4, lo=1, hi=3))
people = [("ann", 20), ("bob", 30)]
bisect.insort(people, ("cid", 25), key=lambda p: p[1])
print(people)


def lis(seq):
    tails = []
    for x in seq:
        i = bisect.bisect_left(tails, x)
        tails[i:i + 1] = [x]
    return len(tails)


print(lis([10, 9, 2, 5, 3, 7, 101, 18, 20]))
