#: promise = "A zip archive that unpacks a hundredfold can be read in pieces and never needs the whole in memory"
#: wall_clock_ms = 30000
#: memory_mb = 128
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import io
import zipfile

file = io.BytesIO()
with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
    with archive.open("bomb", "w") as entry:
        for _ in range(200):
            entry.write(bytes(2**20))
total = 0
with zipfile.ZipFile(file) as archive, archive.open("bomb") as entry:
    while piece := entry.read(2**16):
        total += len(piece)
assert total == 200 * 2**20, total
print("ok")
