from pathlib import Path

base = Path("data")
base.write_text("I am a file, not a folder")
print(base.is_file(), base.stat().st_size)
try:
    base.mkdir()
except FileExistsError as e:
    print(e.errno, e.strerror, e.filename)
for probe in (base, base / "x", Path("data/../data")):
    try:
        print(probe, probe.exists())
    except OSError as e:
        print(probe, type(e).__name__)
print("creating child")
(base / "child.txt").write_text("x")
