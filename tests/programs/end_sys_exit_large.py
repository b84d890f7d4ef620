import sys

codes = [256, 257, 300, -1, 1 << 20, 255]
print([c & 0xFF for c in codes])
try:
    sys.exit(2**70)
except SystemExit as e:
    print("big", e.code)


class Result:
    def __init__(self, errors):
        self.errors = errors

    def exit(self):
        print("errors:", self.errors)
        sys.exit(self.errors)


Result(300).exit()
