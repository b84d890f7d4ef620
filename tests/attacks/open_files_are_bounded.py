#: promise = "A job cannot hold a hundred thousand descriptors, and those it closes come back"
#: wall_clock_ms = 30000
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import os

open("one.txt", "w").close()
for round in range(3):
    held = []
    try:
        for _ in range(100_000):
            held.append(os.open("one.txt", os.O_RDONLY))
    except OSError:
        pass
    else:
        raise AssertionError("100,000 descriptors were opened")
    finally:
        for descriptor in held:
            os.close(descriptor)
    assert len(held) >= 50, f"only {len(held)} in round {round}"
print("ok")
