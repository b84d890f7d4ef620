"""Seeds of every kind, and choices out of large ranges."""
import random
import statistics

for seed in (0, -5, 2**40, 2**100, 3.5, -0.25, 1e300, float("inf"), "abc", b"abc", bytearray(b"x"), True):
    source = random.Random(seed)
    print(seed, source.random(), round(source.gauss(0, 1), 12), source.getrandbits(70), source.randint(-(10**20), 10**20))
source = random.Random(2.5)
print(source.sample(range(10**10), 3), source.sample(range(-(2**61), 2**61), 2), source.choice(range(10**11)))
print(source.choices(range(10**12), k=2), source.randrange(2**63), source.randbytes(5))
print([round(x, 12) for x in (source.normalvariate(), source.expovariate(2), source.betavariate(1, 2), source.paretovariate(3))])
deck = [(suit, rank) for suit in range(4) for rank in range(13)]
source.shuffle(deck)
print(deck[:5], source.sample(deck, 3), source.sample(sorted({(1, 2), (3, 4), (5, 6)}), 2, counts=[2, 3, 4]))
print([round(x, 12) for x in statistics.NormalDist(0, 1).samples(3, seed=5)], source.binomialvariate(10**6, 0.25))
state = source.getstate()
first = [source.random() for _ in range(3)]
source.setstate(state)
print(first == [source.random() for _ in range(3)])
