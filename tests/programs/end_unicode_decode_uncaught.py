data = "Größe: 10 µm".encode("latin-1")
print(data, len(data))
for enc in ("latin-1", "cp1252", "ascii", "utf-8"):
    try:
        print(enc, data.decode(enc))
    except UnicodeDecodeError as e:
        print(enc, e.reason, e.start, e.end, e.object[e.start:e.end])
print(data.decode("utf-8", errors="replace"))
with open("legacy.txt", "wb") as fh:
    fh.write(data)
with open("legacy.txt", encoding="utf-8") as fh:
    print(fh.read())
