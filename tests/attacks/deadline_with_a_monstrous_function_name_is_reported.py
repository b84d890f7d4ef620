#: promise = "A job whose function and file names are a megabyte long is stopped at the deadline like any other"
#: wall_clock_ms = 500
#: outcome = ["time_limit"]
def loop():
    while True:
        pass


name = "\x1b[2J\ud800\x00" + "n" * 10**6
loop.__code__ = loop.__code__.replace(co_name=name, co_qualname=name, co_filename=name)
loop()
