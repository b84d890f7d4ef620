import json
import os

FILENAME = "todo.json"


class TodoList:
    def __init__(self, filename):
        self.filename = filename
        self.tasks = []
        if os.path.exists(filename):
            with open(filename) as f:
                self.tasks = json.load(f)

    def save(self):
        with open(self.filename, "w") as f:
            json.dump(self.tasks, f)

    def add(self, title, priority="normal"):
        self.tasks.append({"title": title, "priority": priority, "done": False})
        self.save()

    def complete(self, number):
        self.tasks[number - 1]["done"] = True
        self.save()

    def show(self):
        for i, task in enumerate(self.tasks, 1):
            mark = "x" if task["done"] else " "
            print(f"{i}. [{mark}] {task['title']} ({task['priority']})")


if os.path.exists(FILENAME):
    os.remove(FILENAME)
todo = TodoList(FILENAME)
todo.add("Buy groceries")
todo.add("Pay electricity bill", "high")
todo.add("Call grandma")
todo.complete(2)
reloaded = TodoList(FILENAME)
reloaded.show()
print("Remaining:", sum(not task["done"] for task in reloaded.tasks))
