from fractions import Fraction


def multiply(a, b):
    return [[sum(x * y for x, y in zip(row, column)) for column in zip(*b)] for row in a]


def transpose(matrix):
    return [list(row) for row in zip(*matrix)]


def determinant(matrix):
    if len(matrix) == 1:
        return matrix[0][0]
    return sum(
        (-1) ** i * value * determinant([row[:i] + row[i + 1 :] for row in matrix[1:]])
        for i, value in enumerate(matrix[0])
    )


def inverse(matrix):
    size = len(matrix)
    rows = [[Fraction(x) for x in row] + [Fraction(int(i == j)) for j in range(size)] for i, row in enumerate(matrix)]
    for i in range(size):
        pivot = next(r for r in range(i, size) if rows[r][i] != 0)
        rows[i], rows[pivot] = rows[pivot], rows[i]
        rows[i] = [x / rows[i][i] for x in rows[i]]
        for r in range(size):
            if r != i:
                rows[r] = [x - rows[r][i] * y for x, y in zip(rows[r], rows[i])]
    return [row[size:] for row in rows]


def show(title, matrix):
    print(title)
    for row in matrix:
        print("  [" + "".join(f"{str(x):>7}" for x in row) + " ]")


a = [[2, 1, 3], [0, -1, 4], [1, 2, 5]]
b = [[1, 0, 2], [3, 1, 0], [0, 5, -1]]
show("A x B", multiply(a, b))
show("A transposed", transpose(a))
print("det A =", determinant(a))
show("A x inverse", multiply(a, inverse(a)))
