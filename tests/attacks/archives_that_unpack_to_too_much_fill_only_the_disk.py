#: promise = "Unpacking a zip or tar bomb to files ends in ENOSPC"
#: wall_clock_ms = 20000
#: disk_mb = 4
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import errno
import io
import tarfile
import zipfile

with zipfile.ZipFile("bomb.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
    archive.writestr("big.bin", bytes(50 * 2**20))
with tarfile.open("bomb.tar.gz", "w:gz", compresslevel=1) as archive:
    header = tarfile.TarInfo("large.bin")
    header.size = 50 * 2**20
    archive.addfile(header, io.BytesIO(bytes(header.size)))


def unzip():
    zipfile.ZipFile("bomb.zip").extractall("unzipped")


def untar():
    tarfile.open("bomb.tar.gz").extractall("untarred", filter="data")


for unpack in (unzip, untar):
    try:
        unpack()
    except OSError as error:
        assert error.errno == errno.ENOSPC, error
        continue
    raise AssertionError(f"{unpack.__name__} succeeded")
print("ok")
