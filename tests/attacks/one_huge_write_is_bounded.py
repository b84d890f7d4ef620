#: promise = "One write larger than the disk is cut or refused, however large it is"
#: wall_clock_ms = 10000
#: disk_mb = 4
#: memory_mb = 512
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import os

block = bytes(150 * 2**20)
descriptor = os.open("big.bin", os.O_CREAT | os.O_WRONLY)
for write in (lambda: os.write(descriptor, block), lambda: os.writev(descriptor, [block] * 20), lambda: os.pwrite(descriptor, block, 10)):
    try:
        write()
    except (OSError, AttributeError):
        pass
    assert os.fstat(descriptor).st_size <= 4 * 2**20, os.fstat(descriptor).st_size
print("ok")
