#: promise = "An exception class with a hostile name and module is reported"
#: outcome = ["completed"]
#: exit_code = 1
#: stdout = "before\n"
print("before")


class Module:
    def __str__(self):
        raise SystemExit(3)


kind = type("\x1b[2J\n\"}{\\" + "N" * 10**5, (Exception,), {"__module__": Module(), "__qualname__": "a\nb\ud800"})
raise kind("text")
