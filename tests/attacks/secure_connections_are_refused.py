#: promise = "ssl and https are missing or fail with a Python exception"
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import http.client
import urllib.request


def wrap():
    import ssl

    ssl.get_server_certificate(("127.0.0.1", 443), timeout=1)


for attempt in (
    wrap,
    lambda: urllib.request.urlopen("https://127.0.0.1/", timeout=1),
    lambda: http.client.HTTPSConnection("127.0.0.1", timeout=1).request("GET", "/"),
):
    try:
        attempt()
    except (OSError, ImportError, AttributeError):
        continue
    raise AssertionError("a connection was made")
print("ok")
