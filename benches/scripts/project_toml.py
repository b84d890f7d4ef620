import tomllib
from dataclasses import dataclass, field

SOURCE = """
[project]
name = "weather-cli"
version = "1.12.0"
dependencies = ["httpx>=0.27", "rich", "platformdirs ~= 4.2"]

[project.optional-dependencies]
dev = ["pytest>=8", "ruff==0.5.1"]

[[tool.tasks]]
name = "test"
run = "pytest -q"

[[tool.tasks]]
name = "release"
run = "build && upload"
needs = ["test"]
"""


@dataclass
class Task:
    name: str
    run: str
    needs: list[str] = field(default_factory=list)


def bump(version: str, part: int) -> str:
    numbers = [int(number) for number in version.split(".")]
    return ".".join(map(str, numbers[:part] + [numbers[part] + 1] + [0] * (2 - part)))


data = tomllib.loads(SOURCE)
project = data["project"]
print(f"{project['name']} {project['version']}")
for part, label in enumerate(("major", "minor", "patch")):
    print(f"  next {label}: {bump(project['version'], part)}")
for group, packages in {"main": project["dependencies"], **project["optional-dependencies"]}.items():
    print(f"  {group}: {', '.join(sorted(packages))}")
for task in (Task(**entry) for entry in data["tool"]["tasks"]):
    print(f"  task {task}")
