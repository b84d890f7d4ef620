from collections import ChainMap, Counter, OrderedDict, defaultdict, deque, namedtuple, UserDict, UserList

text = "the rain in spain stays mainly in the plain the end"
words = Counter(text.split())
print(words.most_common(3), words.total(), words["absent"])
a, b = Counter("abracadabra"), Counter("alakazam")
print(a + b, a - b, a & b, a | b, sep="\n")
a.subtract("aaaaaaa")
print(a, +a, -a, sorted((+a).elements()))

d = deque(range(5), maxlen=5)
d.rotate(2)
d.append(99)
d.appendleft(-1)
print(d, d.index(1), d.count(99), list(reversed(d)))

groups = defaultdict(lambda: defaultdict(list))
for w in text.split():
    groups[len(w)][w[0]].append(w)
print({k: dict(v) for k, v in sorted(groups.items())})

Point = namedtuple("Point", "x y z", defaults=[0, 0])
p = Point(1)
print(p, p._replace(y=5), p._asdict(), Point._fields, Point._field_defaults, Point._make([7, 8, 9]))

od = OrderedDict.fromkeys("abcde")
od.move_to_end("b")
od.move_to_end("e", last=False)
print(list(od), od.popitem(last=False), OrderedDict(a=1, b=2) == OrderedDict(b=2, a=1), od)

cfg = ChainMap({"debug": True}, {"debug": False, "port": 80}, {"host": "localhost", "port": 8080})
print(cfg["debug"], cfg["port"], sorted(cfg), cfg.parents["debug"], cfg.new_child({"port": 1})["port"])


class Lower(UserDict):
    def __setitem__(self, key, value):
        super().__setitem__(key.lower(), value)


low = Lower(Foo=1, BAR=2)
low["Baz"] = 3
print(low, "foo" in low, UserList([3, 1, 2]) + [4])
