import os

os.mkdir("outputs")
with open("notes.txt", "w") as fh:
    fh.write("notes")
for name in sorted(os.listdir(".")):
    print(name, "dir" if os.path.isdir(name) else os.path.getsize(name) if name == "notes.txt" else "file")
try:
    open("outputs")
except IsADirectoryError as e:
    print("reading:", e.strerror, e.filename)
paths = ["outputs/a.txt", "outputs"]
for path in paths:
    print("writing", path)
    with open(path, "w") as fh:
        print(fh.write("text\n"))
print("unreachable")
