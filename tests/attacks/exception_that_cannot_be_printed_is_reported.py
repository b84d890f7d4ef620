#: promise = "An exception whose str and repr raise is reported nevertheless"
#: outcome = ["completed"]
#: exit_code = 1
#: stdout = "before\n"
#: stderr_has = ["Hostile"]
class Hostile(Exception):
    def __str__(self):
        raise self

    __repr__ = __str__


print("before")
raise Hostile
