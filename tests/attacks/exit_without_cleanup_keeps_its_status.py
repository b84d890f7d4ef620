#: promise = "os._exit ends the job at once with its status, from inside finally, a finaliser and a comparison"
#: outcome = ["completed"]
#: exit_code = 7
#: stdout = "before\n"
import os


class Leaver:
    def __lt__(self, other):
        try:
            os._exit(7)
        finally:
            print("never")

    def __del__(self):
        os._exit(8)


print("before", flush=True)
leavers = [Leaver(), Leaver()]
leavers.sort()
