#: promise = "urllib, http.client, ftplib, smtplib and the like fail with a Python exception, also for file: addresses"
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import ftplib
import http.client
import smtplib
import urllib.request

urls = ["http://127.0.0.1/", "http://169.254.169.254/latest/meta-data/", "http://example.com/"]
urls += ["ftp://example.com/", "file:///etc/passwd", "file://localhost/etc/passwd"]
attempts = [lambda url=url: urllib.request.urlopen(url, timeout=1) for url in urls]
attempts += [lambda: http.client.HTTPConnection("127.0.0.1", 80, timeout=1).request("GET", "/")]
attempts += [lambda: ftplib.FTP("127.0.0.1", timeout=1), lambda: smtplib.SMTP("127.0.0.1", 25, timeout=1)]
for attempt in attempts:
    try:
        attempt()
    except OSError:
        continue
    raise AssertionError("a connection was made")
print("ok")
