#: promise = "Recursion that catches RecursionError and goes on is stopped at a limit"
#: wall_clock_ms = 800
#: outcome = ["time_limit", "stack_overflow", "memory_limit"]
def down():
    try:
        down()
    except RecursionError:
        down()
    finally:
        down()


while True:
    try:
        down()
    except RecursionError:
        pass
