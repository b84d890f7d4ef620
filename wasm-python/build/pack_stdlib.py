"""Writes the read-only files of the guest's /usr into one image: pack_stdlib.py LIB TZDATA WASI_BUILD BOOT OUTPUT.

Format, all integers little-endian u32:
    magic "PYXSTD01", file count,
    per file, sorted by path: path offset, path length, source offset, source length, code offset, code length;
    then the bytes. Code is a marshalled code object; length 0 means none.
"""
import marshal
import pathlib
import re
import struct
import sys

library, tzdata, wasi_build, boot, output = map(pathlib.Path, sys.argv[1:])
SKIPPED = {"__pycache__", "test", "tests", "idlelib", "tkinter", "turtledemo", "ensurepip", "lib2to3", "site-packages",
           "_android_support.py", "_apple_support.py", "_ios_support.py", "turtle.py"}
KEPT_TESTS = {"unittest"}
STDLIB = "lib/python3.14"
PLATFORM = {
    "wasm32-unknown-wasip1": "x86_64-pc-linux-gnu",
    "wasm32-wasi": "x86_64-linux-gnu",
    "'MACHDEP': 'wasi'": "'MACHDEP': 'linux'",
    '"MACHDEP": "wasi"': '"MACHDEP": "linux"',
}

WIDE = "LONG|SIZE_T|UINTPTR_T|VOID_P|PTHREAD_T"

files = {}


def add_tree(root, prefix, wanted=lambda path: True):
    for path in sorted(root.rglob("*")):
        relative = path.relative_to(root)
        if path.is_file() and not SKIPPED.intersection(relative.parts) and wanted(relative):
            files[f"{prefix}/{relative.as_posix()}"] = path.read_bytes()


add_tree(library, STDLIB)
add_tree(tzdata / "zoneinfo", "share/zoneinfo", lambda path: path.suffix != ".py")
for path in (wasi_build / (wasi_build / "pybuilddir.txt").read_text().strip()).glob("_sysconfig*"):
    # Found by the platform, which the guest says is Linux. Where the build lies is nobody's business.
    text = path.read_text().replace(str(wasi_build.parent.parent), "/usr/src")
    for ours, linux in PLATFORM.items():
        text = text.replace(ours, linux)
    # The types of C that programs see are those of 64-bit Linux.
    text = re.sub(rf"'(SIZEOF_(?:{WIDE})|ALIGNOF_(?:{WIDE}))': 4\b", r"'\1': 8", text)
    files[f"{STDLIB}/{path.name.replace('__wasi_wasm32-wasi', '__linux_x86_64-linux-gnu')}"] = text.encode()
add_tree(boot, STDLIB)
# Nothing of this can be executed, but programs look for it.
programs = pathlib.Path(__file__).with_name("programs.txt").read_text().splitlines()
files.update((program, b"\x7fELF") for program in programs if not program.startswith("#"))
# sys.executable, for those who look at it (platform.libc_ver does).
files["bin/python3"] = b"CPython for WebAssembly\n"

code = {}
for path, source in files.items():
    if path.endswith(".py"):
        compiled = compile(source, f"/usr/{path}", "exec", dont_inherit=True, optimize=0)
        code[path] = marshal.dumps(compiled)

MAGIC = b"PYXSTD01"
paths = sorted(files, key=lambda path: path.encode())
body_start = len(MAGIC) + 4 + 24 * len(paths)
body = bytearray()


def put(data):
    offset = body_start + len(body)
    body.extend(data)
    return offset, len(data)


index = b"".join(
    struct.pack("<6I", *put(path.encode()), *put(files[path]), *put(code.get(path, b""))) for path in paths
)
output.write_bytes(MAGIC + struct.pack("<I", len(paths)) + index + body)
