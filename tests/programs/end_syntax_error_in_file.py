import sys

print("this line never runs because the file does not compile")


def broken(a, b):
    result = a + b
    if result > 10
        return "big"
    return "small"


print(broken(1, 2))
sys.exit(0)
