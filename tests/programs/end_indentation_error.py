def total(items):
    result = 0
    for item in items:
        result += item
      return result


def average(items):
    if not items:
        return None
    return total(items) / len(items)


print(total([1, 2, 3]), average([4, 6]))
if total([]) == 0:
    print("empty")
