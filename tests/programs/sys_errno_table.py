import errno
import os

for number, name in sorted(errno.errorcode.items()):
    print(number, name, os.strerror(number))
print(sorted(name for name in dir(errno) if name.startswith("E")))
print([type(OSError(number, "x")).__name__ for number in sorted(errno.errorcode)])
print(os.strerror(0), os.strerror(200), os.strerror(-1))
