#: promise = "A loop that catches BaseException cannot catch its deadline"
#: wall_clock_ms = 500
#: outcome = ["time_limit"]
while True:
    try:
        while True:
            pass
    except BaseException:
        pass
