import io
import zipfile
from pathlib import Path

folder = Path("notes")
folder.mkdir(exist_ok=True)
for name, text in {
    "monday.txt": "Buy milk\nWater the plants\n" * 20,
    "tuesday.txt": "Dentist at ten\n",
    "ideas.md": "# Ideas\n\n- a clock that runs backwards\n" * 8,
}.items():
    (folder / name).write_text(text)

buffer = io.BytesIO()
with zipfile.ZipFile(buffer, "w", compression=zipfile.ZIP_DEFLATED) as archive:
    for path in sorted(folder.iterdir()):
        info = zipfile.ZipInfo(path.as_posix(), date_time=(2025, 5, 1, 12, 0, 0))
        info.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(info, path.read_bytes())

backup = Path("backup.zip")
backup.write_bytes(buffer.getvalue())

with zipfile.ZipFile(backup) as archive:
    print("damaged member:", archive.testzip())
    for info in archive.infolist():
        smaller = info.compress_size < info.file_size
        print(f"{info.filename:<18}{info.file_size:>6} bytes  crc {info.CRC:08x}  {'compressed' if smaller else 'stored'}")
    restored = archive.read("notes/tuesday.txt").decode()
print("restored:", restored.strip())

try:
    zipfile.ZipFile(io.BytesIO(b"not an archive"))
except zipfile.BadZipFile as error:
    print("error:", error)
