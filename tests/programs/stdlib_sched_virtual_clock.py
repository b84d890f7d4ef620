import sched


class Clock:
    def __init__(self):
        self.now = 0.0
        self.log = []

    def time(self):
        return self.now

    def sleep(self, seconds):
        if seconds > 0:
            self.log.append(seconds)
            self.now += seconds


clock = Clock()
s = sched.scheduler(clock.time, clock.sleep)


def say(what, *, loud=False):
    print(f"t={clock.now:05.2f} {what.upper() if loud else what}")


def periodic(n):
    say(f"tick {n}")
    if n:
        s.enter(2.5, 1, periodic, (n - 1,))


s.enter(5, 1, say, ("five",))
s.enter(1, 2, say, ("one-low",))
s.enter(1, 1, say, ("one-high",), {"loud": True})
doomed = s.enterabs(3, 1, say, ("never",))
s.enter(0, 1, periodic, (3,))
print(len(s.queue), s.empty(), [(e.time, e.priority) for e in s.queue])
s.cancel(doomed)
print("next in", s.run(blocking=False))
s.run()
print("slept", clock.log, "end", clock.now, s.empty())
try:
    s.cancel(doomed)
except ValueError as e:
    print("ValueError", e)


def fail():
    raise RuntimeError("task failed")


s.enter(1, 1, fail)
s.enter(2, 1, say, ("after failure",))
try:
    s.run()
except RuntimeError as e:
    print(e, len(s.queue))
s.run()
