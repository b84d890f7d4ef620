import logging
import random
import sys
from dataclasses import dataclass, field
from decimal import Decimal

logging.basicConfig(stream=sys.stdout, format="%(levelname)s %(message)s", level=logging.INFO)
rng = random.Random(2024)


class InsufficientFunds(Exception):
    def __init__(self, account, needed):
        super().__init__(f"{account.owner} needs {needed} but has {account.balance}")
        self.shortfall = needed - account.balance


@dataclass
class Account:
    owner: str
    balance: Decimal = Decimal("0.00")
    history: list = field(default_factory=list, repr=False)

    def deposit(self, amount):
        if amount <= 0:
            raise ValueError("amount must be positive")
        self.balance += amount
        self.history.append(amount)

    def withdraw(self, amount):
        if amount > self.balance:
            raise InsufficientFunds(self, amount)
        self.balance -= amount
        self.history.append(-amount)


class Bank:
    def __init__(self):
        self.accounts = {}

    def open(self, owner, initial):
        return self.accounts.setdefault(owner, Account(owner, Decimal(initial)))

    def transfer(self, src, dst, amount):
        a, b = self.accounts[src], self.accounts[dst]
        a.withdraw(amount)
        try:
            b.deposit(amount)
        except ValueError:
            a.deposit(amount)
            raise

    def total(self):
        return sum(a.balance for a in self.accounts.values())


bank = Bank()
for name in ("ann", "bob", "cid"):
    bank.open(name, "100.00")
failures = 0
for day in range(1, 13):
    src, dst = rng.sample(sorted(bank.accounts), 2)
    amount = Decimal(rng.randrange(500, 9000)) / 100
    try:
        bank.transfer(src, dst, amount)
        logging.info("day %2d: %s -> %s %s", day, src, dst, amount)
    except InsufficientFunds as e:
        failures += 1
        logging.warning("day %2d: %s (short %s)", day, e, e.shortfall)
for acc in bank.accounts.values():
    acc.balance += (acc.balance * Decimal("0.015")).quantize(Decimal("0.01"))
    print(acc, len(acc.history), sum(acc.history))
print("failures", failures, "total", bank.total())
for fn in (lambda: bank.transfer("ann", "zed", Decimal(1)), lambda: bank.accounts["bob"].deposit(Decimal(-5))):
    try:
        fn()
    except (KeyError, ValueError) as e:
        print(type(e).__name__, e)
