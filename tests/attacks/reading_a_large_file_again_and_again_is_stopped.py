#: promise = "Time spent in the host reading counts as well"
#: wall_clock_ms = 500
#: outcome = ["time_limit"]

with open("big", "wb") as f:
    f.truncate(60 << 20)
with open("big", "rb", buffering=0) as f:
    buffer = bytearray(60 << 20)
    while True:
        f.seek(0)
        f.readinto(buffer)
