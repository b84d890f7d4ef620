#: promise = "select with nothing to wait for and a long timeout is stopped at the deadline"
#: wall_clock_ms = 400
#: outcome = ["time_limit"]
import select

select.select([], [], [], 1e6)
