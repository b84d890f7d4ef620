import heapq
import random
import statistics
from dataclasses import dataclass


@dataclass
class Customer:
    number: int
    arrival: float
    service: float
    wait: float = 0.0


def generate(count, mean_gap, mean_service, seed):
    rng = random.Random(seed)
    clock = 0.0
    for number in range(count):
        clock += rng.expovariate(1 / mean_gap)
        yield Customer(number, clock, max(0.5, rng.normalvariate(mean_service, 1.5)))


def simulate(customers, tellers):
    free_at = [0.0] * tellers
    served = []
    for customer in customers:
        start = max(customer.arrival, heapq.heappop(free_at))
        customer.wait = start - customer.arrival
        heapq.heappush(free_at, start + customer.service)
        served.append(customer)
    return served


print(f"{'Tellers':>7}{'Mean wait':>11}{'Median':>9}{'90 %':>8}{'Longest':>9}{'Idle ok':>9}")
for tellers in range(1, 5):
    served = simulate(generate(120, 2.0, 4.0, seed=7), tellers)
    waits = [customer.wait for customer in served]
    ninety = statistics.quantiles(waits, n=10)[-1]
    immediate = sum(wait == 0 for wait in waits) / len(waits)
    print(
        f"{tellers:>7}{statistics.fmean(waits):>11.2f}{statistics.median(waits):>9.2f}"
        f"{ninety:>8.2f}{max(waits):>9.2f}{immediate:>9.0%}"
    )
print(served[-1])
