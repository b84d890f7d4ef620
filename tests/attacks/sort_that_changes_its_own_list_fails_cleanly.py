#: promise = "A comparison that empties and refills the list being sorted ends in a ValueError"
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
class Hostile:
    def __lt__(self, other):
        items.clear()
        items.extend(range(1000))
        return True


items = [Hostile() for _ in range(100)]
try:
    items.sort()
except ValueError as error:
    assert "modified during sort" in str(error), error
    print("ok")
