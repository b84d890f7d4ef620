import heapq
from collections import Counter
from itertools import count


def build(text):
    tick = count()
    heap = [(n, next(tick), ch) for ch, n in sorted(Counter(text).items())]
    heapq.heapify(heap)
    while len(heap) > 1:
        a, b = heapq.heappop(heap), heapq.heappop(heap)
        heapq.heappush(heap, (a[0] + b[0], next(tick), (a[2], b[2])))
    return heap[0][2]


def codes(node, prefix=""):
    if isinstance(node, str):
        return {node: prefix or "0"}
    left, right = node
    return codes(left, prefix + "0") | codes(right, prefix + "1")


def pack(bits):
    pad = -len(bits) % 8
    bits += "0" * pad
    return bytes([pad]) + bytes(int(bits[i:i + 8], 2) for i in range(0, len(bits), 8))


def unpack(blob):
    bits = "".join(f"{b:08b}" for b in blob[1:])
    return bits[:len(bits) - blob[0]]


def decode(bits, tree):
    out, node = [], tree
    if isinstance(tree, str):
        return tree * len(bits)
    for b in bits:
        node = node[int(b)]
        if isinstance(node, str):
            out.append(node)
            node = tree
    return "".join(out)


for text in ("abracadabra", "aaaa", "she sells sea shells by the sea shore", "naïve café ☕☕"):
    tree = build(text)
    table = codes(tree)
    bits = "".join(table[c] for c in text)
    blob = pack(bits)
    print(repr(text), len(text.encode()), "->", len(blob), "bytes")
    for ch, code in sorted(table.items(), key=lambda kv: (len(kv[1]), kv[1])):
        print(f"   {ch!r} {text.count(ch)} {code}")
    print("  ", blob.hex(), decode(unpack(blob), tree) == text)
