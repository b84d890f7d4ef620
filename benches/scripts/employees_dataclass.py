from dataclasses import asdict, dataclass, field, replace
from itertools import groupby
from operator import attrgetter


@dataclass(order=True)
class Employee:
    sort_index: tuple = field(init=False, repr=False)
    name: str
    department: str
    salary: float
    skills: list[str] = field(default_factory=list)

    def __post_init__(self):
        if self.salary < 0:
            raise ValueError("salary cannot be negative")
        self.sort_index = (self.department, -self.salary)


@dataclass(frozen=True)
class Raise:
    percent: float

    def apply(self, employee: Employee) -> Employee:
        return replace(employee, salary=round(employee.salary * (1 + self.percent / 100), 2))


staff = [
    Employee("Noor", "Engineering", 82000, ["python", "sql"]),
    Employee("Tom", "Sales", 51000),
    Employee("Ivy", "Engineering", 97500, ["rust"]),
    Employee("Sam", "Support", 43000, ["german"]),
    Employee("Lea", "Sales", 58000, ["negotiation"]),
]

for department, members in groupby(sorted(staff), key=attrgetter("department")):
    members = list(members)
    print(f"{department}: {len(members)} people, average {sum(m.salary for m in members) / len(members):,.0f}")
    for member in members:
        print(f"  {member.name:<6}{member.salary:>10,.2f}  {', '.join(member.skills) or '-'}")

print(Raise(4.5).apply(staff[0]))
print(asdict(staff[3]))
