"""Paths that go down deep folders, up again, and through links on the way."""
import os

deep = "/".join(f"d{number}" for number in range(60))
os.makedirs(deep)
for depth in (1, 15, 16, 17, 33, 59):
    folder = "/".join(f"d{number}" for number in range(depth))
    with open(f"{folder}/file", "w") as file:
        file.write(str(depth))
    os.symlink("file", f"{folder}/link")
    os.symlink("../" * depth + "d0", f"{folder}/up")
    os.symlink(f"d{depth}", f"{folder}/down")
os.symlink(deep, "all")


def read(path):
    try:
        with open(path) as file:
            return file.read()
    except OSError as error:
        return type(error).__name__


for depth in (1, 15, 16, 17, 33, 59):
    folder = "/".join(f"d{number}" for number in range(depth))
    rest = "/".join(f"d{number}" for number in range(depth, 60))
    back = "../" * (60 - depth)
    print(depth, read(f"{folder}/link"), read(f"{folder}/up/link"), read(f"{folder}/{rest}/{back}link"))
    print(read(f"all/{back}link"), read(f"{folder}/{rest}/../nothing/../link"), read(f"{folder}/link/../link"))
    print(read(f"{folder}/down/../{rest}/{back}{rest}/{back}link"), os.path.exists(f"{folder}/down"))
    print(read("d0/" + f"{'/'.join(f'd{number}' for number in range(1, 17))}/../d16/" * 3 + "../link"))
