"""compression.zstd: frames, streams, files, dictionaries, parameters and errors."""
import compression.zstd as zstd
import io
import pathlib
import random
import shutil
import tarfile
import zipfile

random.seed(3)
words = [bytes(random.choices(b"etaoin shrdlu", k=random.randint(2, 9))) for _ in range(300)]
text = b" ".join(random.choices(words, k=20_000))
print(zstd.zstd_version, zstd.COMPRESSION_LEVEL_DEFAULT, len(zstd.compress(text)), zstd.decompress(zstd.compress(text, 19)) == text)
print([len(zstd.compress(text, level)) for level in (-5, 1, 3, 9, 15, 22)])
print(zstd.CompressionParameter.compression_level.bounds(), zstd.CompressionParameter.hash_log.bounds())
for level in (23, -200_000):
    try:
        zstd.compress(text, level)
    except ValueError as error:
        print(error)

packer = zstd.ZstdCompressor(options={zstd.CompressionParameter.compression_level: 10, zstd.CompressionParameter.checksum_flag: 1})
frame = packer.compress(text[:5000]) + packer.compress(text[5000:], zstd.ZstdCompressor.FLUSH_BLOCK) + packer.flush()
print(len(frame), zstd.decompress(frame) == text, zstd.get_frame_info(frame), zstd.get_frame_size(frame), packer.last_mode)
unpacker = zstd.ZstdDecompressor()
parts = []
for at in range(0, len(frame), 100):
    parts.append(unpacker.decompress(frame[at:at + 100], max_length=-1))
print(b"".join(parts) == text, unpacker.eof, unpacker.unused_data, unpacker.needs_input)
for broken in (b"not zstd at all", frame[:-3], frame[:50] + b"\0\0\0" + frame[53:], b""):
    try:
        print(len(zstd.decompress(broken)))
    except zstd.ZstdError as error:
        print("error:", error)

samples = [b" ".join(random.choices(words, k=30)) for _ in range(400)]
trained = zstd.train_dict(samples, 4096)
small = samples[0]
print(len(trained), trained.dict_id > 0, len(zstd.compress(small, zstd_dict=trained)) < len(zstd.compress(small)),
      zstd.decompress(zstd.compress(small, zstd_dict=trained), trained) == small)
print(zstd.finalize_dict(trained, samples, 8192, 3).dict_id > 0)

path = pathlib.Path("text.zst")
with zstd.open(path, "wt", encoding="utf-8") as file:
    file.write("line\n" * 1000)
with zstd.open(path, "rt") as file:
    print(sum(1 for _ in file), path.stat().st_size)
with tarfile.open("all.tar.zst", "w:zst") as archive:
    archive.add(path)
with tarfile.open("all.tar.zst") as archive:
    print(archive.getnames())
with zipfile.ZipFile("all.zip", "w", zipfile.ZIP_ZSTANDARD) as archive:
    archive.writestr("text", text)
with zipfile.ZipFile("all.zip") as archive:
    print(archive.read("text") == text, archive.getinfo("text").compress_type, archive.testzip())
shutil.make_archive("made", "zstdtar", ".", "text.zst")
print(pathlib.Path("made.tar.zst").exists())
print(zstd.decompress(zstd.compress(b"a") + zstd.compress(b"b")))
print(io.BytesIO(zstd.ZstdFile(io.BytesIO(frame)).read(100)).getvalue() == text[:100])
