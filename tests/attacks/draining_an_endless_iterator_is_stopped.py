#: promise = "A deque that drains an endless iterator without keeping anything is stopped at the deadline"
#: wall_clock_ms = 400
#: outcome = ["time_limit"]
import collections
import itertools

collections.deque(itertools.cycle((None,)), maxlen=0)
