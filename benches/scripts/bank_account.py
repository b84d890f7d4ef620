class InsufficientFunds(Exception):
    def __init__(self, needed, available):
        super().__init__(f"need ${needed:.2f}, but only ${available:.2f} available")
        self.shortfall = needed - available


class Account:
    def __init__(self, owner, balance=0):
        self.owner = owner
        self.balance = balance
        self.history = []

    def deposit(self, amount):
        if amount <= 0:
            raise ValueError("deposit must be positive")
        self.balance += amount
        self.history.append(("deposit", amount))

    def withdraw(self, amount):
        if amount > self.balance:
            raise InsufficientFunds(amount, self.balance)
        self.balance -= amount
        self.history.append(("withdraw", amount))


class SavingsAccount(Account):
    interest_rate = 0.03

    def add_interest(self):
        self.deposit(round(self.balance * self.interest_rate, 2))


account = SavingsAccount("Maria", 1000)
account.deposit(250.50)
account.withdraw(99.99)
account.add_interest()
for action in (lambda: account.withdraw(5000), lambda: account.deposit(-5)):
    try:
        action()
    except (InsufficientFunds, ValueError) as error:
        print(f"{type(error).__name__}: {error}")
for kind, amount in account.history:
    print(f"{kind:<10}{amount:>10.2f}")
print(f"{account.owner}'s balance: ${account.balance:.2f}")
