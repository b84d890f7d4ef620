from itertools import islice

READINGS = """\
t1 21.5
t2 22.1
t1 bad
t1 21.9
t3 -40.0
t2 22.8
t1 23.4
t2 25.0
"""


def read(lines):
    for number, line in enumerate(lines, start=1):
        sensor, _, value = line.partition(" ")
        try:
            yield sensor, float(value)
        except ValueError:
            print(f"line {number} ignored: {line!r}")


def moving_average(size):
    window, mean = [], None
    while True:
        value = yield mean
        window = [*window, value][-size:]
        mean = sum(window) / len(window)


def chunks(iterable, size):
    iterator = iter(iterable)
    while chunk := list(islice(iterator, size)):
        yield chunk


averages = {}
for batch in chunks(read(READINGS.splitlines()), 4):
    print("batch of", len(batch))
    for sensor, value in batch:
        if sensor not in averages:
            averages[sensor] = moving_average(3)
            next(averages[sensor])
        print(f"  {sensor} {value:5.1f} -> {averages[sensor].send(value):.2f}")
