import base64
import hashlib
import hmac
from pathlib import Path

documents = {
    "contract.txt": b"The tenant agrees to water the fig tree weekly.\n" * 30,
    "photo.bin": bytes(range(256)) * 16,
    "empty.dat": b"",
}

folder = Path("signed")
folder.mkdir(exist_ok=True)
for name, content in documents.items():
    (folder / name).write_bytes(content)


def digest(path: Path, algorithm: str = "sha256", chunk_size: int = 1024) -> str:
    result = hashlib.new(algorithm)
    with path.open("rb") as file:
        while chunk := file.read(chunk_size):
            result.update(chunk)
    return result.hexdigest()


manifest = {path.name: digest(path) for path in sorted(folder.glob("*"))}
for name, value in manifest.items():
    print(f"{value[:32]}...  {name}")

text = "\n".join(f"{value}  {name}" for name, value in manifest.items()).encode()
signature = hmac.new(b"a shared secret", text, hashlib.sha512).digest()
print("signature:", base64.urlsafe_b64encode(signature).decode()[:40])
print("md5 of photo:", digest(folder / "photo.bin", "md5"))

(folder / "contract.txt").write_bytes(documents["contract.txt"].replace(b"weekly", b"yearly"))
for name, value in manifest.items():
    print(name, "OK" if hmac.compare_digest(digest(folder / name), value) else "CHANGED")
