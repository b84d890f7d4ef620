#: promise = "Files in /tmp count together with those of the project"
#: files = 100
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import itertools
import tempfile

made = []
for folder in itertools.cycle(("/tmp", ".")):
    try:
        made.append(tempfile.mkstemp(dir=folder))
    except OSError:
        break
    assert len(made) <= 100, len(made)
assert len(made) >= 50, len(made)
print("ok")
