#: promise = "A finally block that never ends is stopped at the deadline, and so is a nest of them"
#: wall_clock_ms = 500
#: outcome = ["time_limit"]
def again():
    try:
        while True:
            pass
    finally:
        again()


again()
