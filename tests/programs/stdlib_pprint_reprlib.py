import pprint
import reprlib
from collections import OrderedDict, defaultdict, Counter, deque
from dataclasses import dataclass
from types import SimpleNamespace


@dataclass
class Node:
    name: str
    children: list
    meta: dict


tree = Node("root", [Node("leaf-%d" % i, [], {"depth": 1, "path": "/root/leaf-%d" % i}) for i in range(3)], {"k": None})
pprint.pp(tree, width=60)
data = {
    "zeta": list(range(30)),
    "alpha": {"nested": {"deep": {"deeper": ["x" * 30, "y" * 30]}}},
    "text": "The quick brown fox jumps over the lazy dog. " * 3,
    "bytes": bytes(range(48)),
    "set": {3, 1, 2},
    10: (1,),
}
pprint.pprint(data, width=50)
pprint.pprint(data, depth=2, compact=True, width=60)
pprint.pp(data["alpha"], sort_dicts=False, underscore_numbers=True, indent=4)
print(pprint.pformat([123456789, 1.5, None], underscore_numbers=True))
pprint.pp(OrderedDict(b=1, a=2))
pprint.pp(defaultdict(int, {"q" * 40: 1, "r" * 40: 2}))
pprint.pp(Counter("mississippi"))
pprint.pp(SimpleNamespace(alpha="a" * 40, beta="b" * 40))
loop = [1]
loop.append(loop)
print(pprint.isrecursive(loop), pprint.isreadable(loop), loop)

r = reprlib.Repr(maxlist=3, maxstring=20, maxdict=2, maxlevel=2, maxlong=15)
print(r.repr(list(range(100))), r.repr("z" * 100), r.repr({i: i for i in range(9)}), r.repr(10**40))
print(r.repr([[[[1]]]]), reprlib.repr(set("abcdefghij")), reprlib.repr(deque(range(20))))
print(reprlib.Repr(indent="..").repr([1, [2, 3], {"a": 4}]))


class Rec(list):
    @reprlib.recursive_repr("<...>")
    def __repr__(self):
        return "Rec(" + ", ".join(map(repr, self)) + ")"


x = Rec([1])
x.append(x)
print(x)
