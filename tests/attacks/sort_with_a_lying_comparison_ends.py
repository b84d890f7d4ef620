#: promise = "A sort whose comparison always says yes still ends and loses no element"
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
class Liar:
    def __lt__(self, other):
        return True


items = [Liar() for _ in range(2000)]
assert set(sorted(items)) == set(items), "elements were lost"
print("ok")
