#: promise = "Nobody else can fill or empty a pipe of the job, so waiting for one is an error"
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import errno
import os

reader, writer = os.pipe()
try:
    os.read(reader, 1)
except OSError as error:
    assert error.errno == errno.EDEADLK, error
written = 0
try:
    while True:
        written += os.write(writer, bytes(10_000))
except OSError as error:
    assert error.errno == errno.EDEADLK, error
assert written == 65536, written
pipes = []
try:
    while True:
        pipes.append(os.pipe())
        os.write(pipes[-1][1], bytes(65536))
except OSError as error:
    assert error.errno == errno.EMFILE, error
assert len(pipes) < 100
for ends in pipes:
    for end in ends:
        os.close(end)
os.close(reader)
try:
    os.write(writer, b"x")
except BrokenPipeError:
    print("ok")
