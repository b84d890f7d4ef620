import traceback


class Broken(Exception):
    def __str__(self):
        raise RuntimeError("str failed")

    def __repr__(self):
        return "<Broken repr>"


class Empty(Exception):
    pass


for exc in (Broken("x"), Empty(), KeyError("k"), KeyError(), OSError(2, "No such thing", "f.txt"), StopIteration(5), Exception("a", 2)):
    print(traceback.format_exception_only(exc))
    try:
        print(str(exc))
    except RuntimeError as e:
        print("str() raised", e)
print("now uncaught")
raise Broken("value")
