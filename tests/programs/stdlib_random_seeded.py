import random

r = random.Random(12345)
print([r.randint(1, 100) for _ in range(8)], [r.randrange(0, 100, 7) for _ in range(4)])
print([round(r.random(), 12) for _ in range(3)], round(r.uniform(-5, 5), 10))
deck = list(range(10))
r.shuffle(deck)
print(deck, r.sample(deck, 4), r.choice("abcdef"), r.choices("xyz", weights=[5, 1, 1], k=10))
print(r.sample(["a", "b", "c"], counts=[3, 2, 1], k=4), r.getrandbits(100), r.randbytes(6).hex())
for name, args in [("gauss", (0, 1)), ("normalvariate", (10, 2)), ("expovariate", (1.5,)), ("betavariate", (2, 3)),
                   ("gammavariate", (2, 1)), ("triangular", (0, 10, 3)), ("lognormvariate", (0, 0.5)),
                   ("vonmisesvariate", (0, 4)), ("paretovariate", (3,)), ("weibullvariate", (1, 2)), ("binomialvariate", (20, 0.3))]:
    print(f"{name:16} {getattr(r, name)(*args):.8f}")

random.seed("text seed")
a = [random.random() for _ in range(3)]
state = random.getstate()
b = random.random()
random.setstate(state)
print([f"{x:.10f}" for x in a], b == random.random())
random.seed(2**80 + 1)
print(random.randint(0, 10**30))
random.seed(b"bytes")
print(random.random())
counts = [0] * 6
dice = random.Random(7)
for _ in range(6000):
    counts[dice.randrange(6)] += 1
print(counts)
inside = sum(dice.random() ** 2 + dice.random() ** 2 <= 1 for _ in range(20000))
print(f"pi ~ {4 * inside / 20000}")
for fn in (lambda: r.choice([]), lambda: r.sample([1], 2), lambda: r.randint(5, 1)):
    try:
        fn()
    except (IndexError, ValueError) as e:
        print(type(e).__name__, e)
