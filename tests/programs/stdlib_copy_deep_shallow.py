import copy


class Node:
    def __init__(self, name, parent=None):
        self.name = name
        self.parent = parent
        self.children = []
        if parent:
            parent.children.append(self)


class Config:
    copies = 0

    def __init__(self, values, cache=None):
        self.values = values
        self.cache = cache or {}

    def __copy__(self):
        Config.copies += 1
        return Config(self.values)

    def __deepcopy__(self, memo):
        return Config(copy.deepcopy(self.values, memo), {"fresh": True})

    def __replace__(self, /, **changes):
        return Config(changes.get("values", self.values))


root = Node("root")
kid = Node("kid", root)
clone = copy.deepcopy(root)
print(clone.children[0].name, clone.children[0].parent is clone, clone is not root)
shallow = copy.copy(root)
print(shallow.children is root.children)

matrix = [[0] * 3 for _ in range(2)]
alias, sh, deep = matrix, copy.copy(matrix), copy.deepcopy(matrix)
matrix[0][0] = 1
matrix.append(["new"])
print(alias, sh, deep, sep="\n")

c = Config({"a": [1]})
s, d = copy.copy(c), copy.deepcopy(c)
c.values["a"].append(2)
print(s.values, s.cache, d.values, d.cache, Config.copies, copy.replace(c, values=9).values)
t = (1, (2, 3))
print(copy.deepcopy(t) is t, copy.copy(t) is t)
rec = []
rec.append(rec)
r2 = copy.deepcopy(rec)
print(r2[0] is r2, r2 is not rec)
try:
    copy.deepcopy(x for x in "ab")
except TypeError as e:
    print("TypeError:", e)
memo = {}
x = [1, 2]
y = copy.deepcopy({"p": x, "q": x}, memo)
print(y["p"] is y["q"], len(memo) > 0)
