from collections import deque


class Tree:
    class Node:
        __slots__ = ("key", "left", "right")

        def __init__(self, key):
            self.key, self.left, self.right = key, None, None

    def __init__(self, items=()):
        self.root, self.size = None, 0
        for i in items:
            self.add(i)

    def add(self, key):
        link, node = None, self.root
        while node:
            if key == node.key:
                return False
            link = (node, "left" if key < node.key else "right")
            node = getattr(*link)
        new = self.Node(key)
        if link:
            setattr(*link, new)
        else:
            self.root = new
        self.size += 1
        return True

    def __iter__(self):
        def walk(n):
            if n:
                yield from walk(n.left)
                yield n.key
                yield from walk(n.right)
        return walk(self.root)

    def levels(self):
        q = deque([(self.root, 0)])
        out = []
        while q:
            n, d = q.popleft()
            if n:
                if d == len(out):
                    out.append([])
                out[d].append(n.key)
                q += [(n.left, d + 1), (n.right, d + 1)]
        return out


class Trie(dict):
    END = "$"

    def insert(self, word):
        node = self
        for ch in word:
            node = node.setdefault(ch, {})
        node[self.END] = word

    def complete(self, prefix):
        node = self
        for ch in prefix:
            if ch not in node:
                return []
            node = node[ch]
        found, stack = [], [node]
        while stack:
            cur = stack.pop()
            for k, v in cur.items():
                found.append(v) if k == self.END else stack.append(v)
        return sorted(found)


t = Tree([50, 30, 70, 20, 40, 60, 80, 30])
print(list(t), t.size, t.levels(), t.add(65), t.add(20))
print([k for k in t if 35 <= k <= 65], min(t), max(t), t.levels()[-1])
trie = Trie()
for w in "car card care cat dog do done Ångström".split():
    trie.insert(w)
for p in ("car", "do", "", "x", "Å"):
    print(repr(p), trie.complete(p))
print(trie["d"])
