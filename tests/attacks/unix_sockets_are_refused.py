#: promise = "The Docker socket and other Unix sockets cannot be reached"
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import socket

for path in ("/var/run/docker.sock", "/run/docker.sock", "\0abstract", "/tmp/own.sock"):
    try:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.connect(path)
    except (OSError, AttributeError):
        continue
    raise AssertionError(f"{path} was reached")
print("ok")
