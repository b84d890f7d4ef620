#: promise = "A shared object that a job brings along is never loaded"
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import importlib.machinery
import importlib.util
import sys

images = {"elf": b"\x7fELF\x02\x01\x01" + bytes(500), "wasm": b"\0asm\1\0\0\0" + bytes(500), "empty": b""}
suffixes = importlib.machinery.EXTENSION_SUFFIXES + [".so", ".wasm", ".pyd", ".cpython-314-wasm32-wasi.so", ".cpython-314-x86_64-linux-gnu.so"]
sys.path.insert(0, ".")
for name, image in images.items():
    for number, suffix in enumerate(suffixes):
        module = f"{name}{number}"
        with open(module + suffix, "wb") as file:
            file.write(image)


def load(module, path):
    loader = importlib.machinery.ExtensionFileLoader(module, path)
    loader.create_module(importlib.util.spec_from_file_location(module, path, loader=loader))


importlib.invalidate_caches()
for name in images:
    for number, suffix in enumerate(suffixes):
        module = f"{name}{number}"
        for attempt in (lambda: __import__(module), lambda: load(module, "./" + module + suffix)):
            try:
                attempt()
            except (ImportError, AttributeError, NotImplementedError):
                continue
            raise AssertionError(f"{module}{suffix} was loaded")
print("ok")
