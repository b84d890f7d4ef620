"""sys.maxsize, counts and sizes past 32 bits: the same value, or the same error."""
import array
import collections
import csv
import ctypes
import datetime
import decimal
import io
import itertools
import math
import operator
import pickle
import platform
import random
import struct
import sys
import time
import zlib

print(sys.maxsize, sys.maxsize.bit_length(), sys.maxsize > 2**32, platform.architecture()[0], struct.calcsize("P") * 8)
best = sys.maxsize
for value in (4_000_000_000, 5_000_000_000):
    best = min(best, value)
print(best, dict.fromkeys("AB", sys.maxsize), max(-sys.maxsize - 1, -(10**12)))
print(len(range(10**10)), len(range(sys.maxsize)), range(10**12)[-1], range(10**12).index(10**11), range(0, 2**62, 3)[2**60])
print(list(itertools.islice(itertools.count(2**31 - 2), 4)), itertools.count(2**62), itertools.repeat(None, 2**40))
print(list(itertools.islice("abc", 2**40)), list(zip(itertools.count(2**32), "ab")), list(enumerate("ab", 2**40)))
print(operator.length_hint(itertools.repeat(1, 2**40)), collections.deque("abc", maxlen=2**40))
print("a,b".split(",", 2**40), "aaa".replace("a", "b", 2**35), b"a b".split(None, 2**40), "abc"[: 2**40], "abc"[2**33 :])
print([1, 2, 3][-(2**40) : 2**40], [1].index(1, 0, sys.maxsize), "abcabc".find("c", 3, 2**70), slice(None, 2**70).indices(5))
print(io.StringIO("abc").read(2**50), io.BytesIO(b"abc").read(2**50), csv.field_size_limit(sys.maxsize), csv.field_size_limit())
print(decimal.MAX_PREC, decimal.MAX_EMAX, decimal.MIN_EMIN, decimal.MIN_ETINY, pow(3, 2**70, sys.maxsize), math.isqrt(2**63))
print(datetime.datetime.fromtimestamp(2**33, datetime.UTC), time.gmtime(2**40)[:3], pickle.loads(pickle.dumps([2**31, -(2**40)], 2)))

refused = {
    "range": lambda: len(range(sys.maxsize + 1)),
    "bytes": lambda: bytes(2**50),
    "bytearray": lambda: bytearray(2**60),
    "str": lambda: "a" * 2**50,
    "str past maxsize": lambda: "a" * 2**63,
    "list": lambda: [0] * 2**50,
    "list past maxsize": lambda: [0] * 2**63,
    "list of a range": lambda: list(range(2**55)),
    "tuple": lambda: (1,) * 2**60,
    "array": lambda: array.array("l", [0]) * 2**50,
    "array length": lambda: array.array("l", [0]) * 2**61,
    "ljust": lambda: "x".ljust(2**50),
    "zfill": lambda: b"x".zfill(2**50),
    "format": lambda: "{:1000000000000}".format(1),
    "percent": lambda: "%*d" % (2**40, 5),
    "shift": lambda: 1 << 2**50,
    "to_bytes": lambda: (5).to_bytes(2**50, "big"),
    "randbytes": lambda: random.randbytes(2**50),
    "struct": lambda: struct.pack("%dx" % 2**45),
    "struct size": lambda: struct.calcsize("%ds" % 2**40),
    "struct past maxsize": lambda: struct.calcsize("%ds" % 2**63),
    "product": lambda: itertools.product(range(2), repeat=2**40),
    "combinations": lambda: list(itertools.combinations(range(3), 2**40)),
    "ctypes": lambda: (ctypes.c_char * 2**45)(),
    "decompress": lambda: zlib.decompressobj().decompress(zlib.compress(b"a"), 2**50),
    "sleep": lambda: time.sleep(2**63),
    "timestamp": lambda: datetime.date.fromtimestamp(2**62),
    "gmtime": lambda: time.gmtime(2**60),
    "field size": lambda: csv.field_size_limit(2**63),
    "chr": lambda: chr(2**40),
    "round": lambda: (round(1234.5, 2**40), round(1234, -(2**20))),
    "recursion limit": lambda: sys.setrecursionlimit(2**31),
    "deque": lambda: collections.deque(maxlen=2**63),
    "islice": lambda: itertools.islice("abc", 2**63),
    "permutations": lambda: list(itertools.permutations(range(3), 2**40)),
    "getrandbits": lambda: random.getrandbits(2**65),
    "prec": lambda: decimal.Context(prec=2**62),
    "index": lambda: "abc"[2**70],
}
for name, call in refused.items():
    try:
        print(name, repr(call())[:60])
    except Exception as e:
        print(name, type(e).__name__, e)


class Long:
    def __init__(self, n):
        self.n = n

    def __len__(self):
        return self.n

    def __index__(self):
        return self.n

    def __length_hint__(self):
        return self.n


for n in (2**31, 2**32, 2**62, 2**63 - 1, 2**63, 2**100, -1):
    for name, call in {"len": len, "bool": bool, "item": "abc".__getitem__, "slice": lambda x: "abc"[x:],
                       "hint": operator.length_hint, "range": lambda x: range(x)[-1:]}.items():
        try:
            print(n, name, call(Long(n)))
        except Exception as e:
            print(n, name, type(e).__name__, e)
