#: promise = "ctypes loads no library"
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import ctypes

for attempt in (
    lambda: ctypes.CDLL("libc.so.6"),
    lambda: ctypes.CDLL("./own.so"),
    lambda: ctypes.PyDLL("libpython3.14.so"),
    lambda: ctypes.cdll.LoadLibrary("libc.so.6"),
):
    try:
        attempt()
    except OSError:
        continue
    raise AssertionError("a library was loaded")
print("ok")
