#: promise = "A garbage collection callback that never returns is stopped at the deadline"
#: wall_clock_ms = 500
#: outcome = ["time_limit"]
import gc


def callback(phase, info):
    while True:
        pass


gc.callbacks.append(callback)
gc.collect()
