import math
import random


def estimate_pi(samples, rng):
    inside = sum(rng.random() ** 2 + rng.random() ** 2 <= 1 for _ in range(samples))
    return 4 * inside / samples


def birthday_paradox(people, trials, rng):
    shared = 0
    for _ in range(trials):
        days = [rng.randrange(365) for _ in range(people)]
        shared += len(set(days)) < people
    return shared / trials


def monty_hall(switch, trials, rng):
    wins = 0
    for _ in range(trials):
        car, choice = rng.randrange(3), rng.randrange(3)
        opened = rng.choice([door for door in range(3) if door not in (car, choice)])
        if switch:
            choice = next(door for door in range(3) if door not in (choice, opened))
        wins += choice == car
    return wins / trials


rng = random.Random(2024)
for samples in (100, 1000, 5000):
    pi = estimate_pi(samples, rng)
    print(f"pi with {samples:>5} samples: {pi:.4f} (error {abs(pi - math.pi):.4f})")
print(f"shared birthday among 23: {birthday_paradox(23, 100, rng):.3f}")
for switch in (True, False):
    print(f"Monty Hall, {'switch' if switch else 'stay':<6}: {monty_hall(switch, 500, rng):.3f}")
print(f"five draws: {[round(rng.gauss(100, 15), 1) for _ in range(5)]}")
