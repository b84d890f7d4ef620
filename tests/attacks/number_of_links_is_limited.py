#: promise = "Symbolic and hard links are refused or count as files"
#: files = 100
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import os

open("target", "w").close()
for make in (os.symlink, os.link):
    made = []
    try:
        for number in range(1000):
            make("target", f"{make.__name__}{number}")
            made.append(f"{make.__name__}{number}")
    except OSError:
        pass
    assert len(made) <= 100, f"{len(made)} of {make.__name__}"
    for name in made:
        os.remove(name)
print("ok")
