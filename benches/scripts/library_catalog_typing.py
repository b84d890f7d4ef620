from typing import Generic, NamedTuple, Optional, Protocol, TypedDict, TypeVar


class Titled(Protocol):
    title: str


class Book(NamedTuple):
    title: str
    author: str
    year: int
    isbn: str


class Loan(TypedDict):
    member: str
    title: str
    days: int


T = TypeVar("T", bound=Titled)


class Catalog(Generic[T]):
    def __init__(self, items: list[T]) -> None:
        self._items = {item.title.lower(): item for item in items}
        self.loans: list[Loan] = []

    def find(self, title: str) -> Optional[T]:
        return self._items.get(title.lower())

    def lend(self, title: str, member: str, days: int = 14) -> bool:
        if self.find(title) is None or any(loan["title"] == title for loan in self.loans):
            return False
        self.loans.append(Loan(member=member, title=title, days=days))
        return True


books = Catalog([Book("Dune", "Herbert", 1965, "9780441013593"), Book("Emma", "Austen", 1815, "9780141439587")])
print(books.find("DUNE"), books.find("Ulysses"), sep="\n")
print(books.lend("Dune", "Ola"), books.lend("Dune", "Per"), books.lend("Emma", "Per", days=7))
for loan in books.loans:
    print("{member:<5} has {title:<6} for {days} days".format(**loan))
print(Book._fields, Catalog[Book].__args__[0].__name__)
