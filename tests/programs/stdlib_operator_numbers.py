import operator
from operator import attrgetter, itemgetter, methodcaller
import numbers
from decimal import Decimal
from fractions import Fraction
from types import SimpleNamespace as NS

people = [NS(name="Ann", addr=NS(city="Oslo"), age=40), NS(name="bob", addr=NS(city="Rome"), age=25), NS(name="Cid", addr=NS(city="Oslo"), age=31)]
print([p.name for p in sorted(people, key=attrgetter("addr.city", "age"))])
print(list(map(attrgetter("name"), sorted(people, key=lambda p: methodcaller("lower")(p.name), reverse=True))))
rows = [("x", 3, 9.5), ("y", 1, 7.25)]
print(itemgetter(2, 0)(rows[0]), itemgetter(slice(1, None))(rows[1]), min(rows, key=itemgetter(1)), methodcaller("split", ",", 1)("a,b,c"))
print(operator.add(2, 3), operator.floordiv(-7, 2), operator.matmul.__name__, operator.truth([]), operator.not_(0), operator.is_not(1, None))
print(operator.index(True), operator.countOf("banana", "a"), operator.indexOf([5, 6, 7], 6), operator.length_hint(iter(range(9))), operator.concat([1], [2]))
lst = [1, 2, 3]
operator.setitem(lst, 0, 99)
operator.delitem(lst, 1)
print(lst, operator.contains(lst, 3), operator.iadd(lst, [4]), operator.call(max, 3, 8))
ops = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "^": operator.pow}


def rpn(text):
    stack = []
    for tok in text.split():
        if tok in ops:
            b, a = stack.pop(), stack.pop()
            stack.append(ops[tok](a, b))
        else:
            stack.append(float(tok))
    return stack


print(rpn("3 4 2 * 1 5 - 2 3 ^ ^ / +"), rpn("1 2 + 4 * 3 -"))
for v in (True, 1, 1.5, 1j, Decimal(1), Fraction(1, 2), "1"):
    print(f"{v!r:15}", [isinstance(v, t) for t in (numbers.Number, numbers.Complex, numbers.Real, numbers.Rational, numbers.Integral)])
try:
    operator.index(1.0)
except TypeError as e:
    print(e)
print(operator.attrgetter("age")(people[0]), repr(itemgetter(1)), repr(methodcaller("f", 1, k=2)), operator.inv(5), operator.xor(6, 3))
