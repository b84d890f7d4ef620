#: promise = "A finaliser that makes another object to finalise, for ever, ends in a limit"
#: wall_clock_ms = 1000
#: outcome = ["completed", "time_limit", "stack_overflow", "memory_limit"]
class Hydra:
    def __del__(self):
        Hydra()


Hydra()
