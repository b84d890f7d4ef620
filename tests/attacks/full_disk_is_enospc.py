#: promise = "A full disk raises ENOSPC with Linux's number and message; deleting gives the space back"
#: disk_mb = 4
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import errno
import os

for round in range(5):
    written = 0
    with open("big.bin", "wb", buffering=0) as file:
        try:
            while written < 10**8:
                written += file.write(bytes(50_000))
        except OSError as error:
            assert error.errno == errno.ENOSPC == 28, error
            assert "No space left on device" in str(error), error
    assert 3 * 2**20 <= written <= 4 * 2**20, f"{written} bytes in round {round}"
    assert os.path.getsize("big.bin") == written
    os.remove("big.bin")
print("ok")
