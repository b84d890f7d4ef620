# stdin:
#< first answer
#< second answer
import sys

questions = ["name? ", "colour? ", "quest? "]
answers = {}
print("interactive:", sys.stdin.isatty())


def summary():
    return ", ".join(f"{k}={v!r}" for k, v in answers.items())


for q in questions:
    answers[q.strip("? ")] = input(q)
    print("->", summary())
print("unreachable", len(answers))
