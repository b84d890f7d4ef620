import bisect
import heapq

BREAKPOINTS = [60, 70, 80, 90]
LETTERS = "FDCBA"


class Leaderboard:
    def __init__(self):
        self.scores = []

    def add(self, score, name):
        bisect.insort(self.scores, (score, name))

    def rank(self, score):
        return len(self.scores) - bisect.bisect_right(self.scores, (score, chr(0x10FFFF))) + 1

    def between(self, low, high):
        left = bisect.bisect_left(self.scores, (low, ""))
        right = bisect.bisect_left(self.scores, (high, ""))
        return [name for _, name in self.scores[left:right]]


board = Leaderboard()
for name, score in {
    "Ana": 91, "Bo": 67, "Cy": 88, "Di": 73, "Ed": 88, "Flo": 55, "Gus": 99, "Hal": 60, "Ida": 79,
}.items():
    board.add(score, name)

for score, name in reversed(board.scores):
    grade = LETTERS[bisect.bisect(BREAKPOINTS, score)]
    print(f"{board.rank(score)}. {name:<5}{score:>4}  {grade}")

print("70 to 90:", board.between(70, 90))
print("top three:", [name for _, name in heapq.nlargest(3, board.scores)])
print("lowest:", heapq.nsmallest(2, board.scores))
print("merged:", list(heapq.merge([1, 4, 9], [2, 4, 8], [3])))
