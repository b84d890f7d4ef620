#: promise = "Opening a file to cut it gives back what is cut, whatever the other flags are"
#: disk_mb = 4
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import errno
import os

for flags in (os.O_RDONLY | os.O_TRUNC, os.O_WRONLY | os.O_APPEND | os.O_TRUNC, os.O_RDWR | os.O_TRUNC):
    for number in range(8):
        try:
            with open(f"f{number}", "wb", buffering=0) as file:
                file.write(bytes(1_500_000))
            os.close(os.open(f"f{number}", flags))
        except OSError as error:
            assert error.errno == errno.ENOSPC
        used = sum(os.stat(name).st_size for name in os.listdir("."))
        assert used <= 4 << 20, used
    # Linux cuts for reading as well.
    assert os.stat("f7").st_size == 0
print("ok")
