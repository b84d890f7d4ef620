import os

with open("config.ini", "w") as fh:
    fh.write("[main]\nkey = value\n")
print(sorted(os.listdir(".")))


def read(name):
    print("reading", name)
    with open(name, encoding="utf-8") as fh:
        return fh.read().splitlines()


print(read("config.ini"))
os.remove("config.ini")
print(os.path.exists("config.ini"))
read("config.ini")
