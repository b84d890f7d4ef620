from dataclasses import dataclass


@dataclass
class User:
    name: str
    email: str | None = None


def domain(user):
    return user.email.split("@")[1].upper()


users = [User("ann", "ann@example.com"), User("bob")]
for u in users:
    print(u)
    print(domain(u))
print("unreachable")
