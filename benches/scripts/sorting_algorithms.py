import random


def bubble_sort(items):
    items = items[:]
    for end in range(len(items) - 1, 0, -1):
        swapped = False
        for i in range(end):
            if items[i] > items[i + 1]:
                items[i], items[i + 1] = items[i + 1], items[i]
                swapped = True
        if not swapped:
            break
    return items


def quick_sort(items):
    if len(items) <= 1:
        return items
    pivot = items[len(items) // 2]
    return (
        quick_sort([x for x in items if x < pivot])
        + [x for x in items if x == pivot]
        + quick_sort([x for x in items if x > pivot])
    )


def merge_sort(items):
    if len(items) <= 1:
        return items
    middle = len(items) // 2
    left, right = merge_sort(items[:middle]), merge_sort(items[middle:])
    result, i, j = [], 0, 0
    while i < len(left) and j < len(right):
        take_left = left[i] <= right[j]
        result.append(left[i] if take_left else right[j])
        i, j = i + take_left, j + (not take_left)
    return result + left[i:] + right[j:]


random.seed(42)
numbers = [random.randint(1, 999) for _ in range(120)]
for sort in (bubble_sort, quick_sort, merge_sort):
    result = sort(numbers)
    print(f"{sort.__name__:<12} correct={result == sorted(numbers)} first={result[:5]}")
