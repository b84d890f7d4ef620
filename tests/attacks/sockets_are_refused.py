#: promise = "Every way to make or use a socket raises OSError"
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import socket

for attempt in (
    lambda: socket.socket(),
    lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM),
    lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
    lambda: socket.socket(fileno=0),
    lambda: socket.socket(fileno=3),
    lambda: socket.create_connection(("127.0.0.1", 80), timeout=1),
    lambda: socket.create_connection(("169.254.169.254", 80), timeout=1),
    lambda: socket.create_server(("0.0.0.0", 0)),
    lambda: socket.socketpair(),
    lambda: socket.getaddrinfo("example.com", 80),
    lambda: socket.gethostbyname("example.com"),
):
    try:
        attempt()
    except OSError:
        continue
    raise AssertionError("allowed")
print("ok")
