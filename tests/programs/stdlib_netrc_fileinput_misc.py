import fileinput
import netrc
import sys
import linecache

with open("netrc", "w") as fh:
    fh.write("machine host.example login ann account main password s3cret\n"
             "default login anonymous password guest@\n"
             "macdef init\ncd /pub\nbinary\n\n")
n = netrc.netrc("netrc")
print(n.authenticators("host.example"), n.authenticators("other"), sorted(n.hosts), n.macros)
with open("badrc", "w") as fh:
    fh.write("machine x\nbogus y\n")
try:
    netrc.netrc("badrc")
except netrc.NetrcParseError as e:
    print(e.msg, e.lineno, e.filename)

for i, name in enumerate(("one.txt", "two.txt")):
    with open(name, "w") as fh:
        fh.write("".join(f"{name[:3]} line {k}\n" for k in range(1, 4)))
with fileinput.input(["one.txt", "two.txt"], encoding="utf-8") as stream:
    for line in stream:
        print(stream.filename(), stream.lineno(), stream.filelineno(), stream.isfirstline(), line.strip())
        if stream.filelineno() == 2:
            stream.nextfile()
with fileinput.input("one.txt", inplace=True, backup=".bak") as stream:
    for line in stream:
        sys.stdout.write(line.replace("line", "LINE"))
print(open("one.txt").read(), open("one.txt.bak").readline(), end="")
print(linecache.getline("two.txt", 2).strip(), linecache.getlines("two.txt"))
with open("two.txt", "w") as fh:
    fh.write("changed content here\n")
linecache.checkcache("two.txt")
print(linecache.getline("two.txt", 1), end="")
