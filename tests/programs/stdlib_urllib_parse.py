from urllib.parse import (urlparse, urlsplit, urlunsplit, urljoin, parse_qs, parse_qsl, quote, quote_plus, unquote,
                          unquote_plus, urlencode, urldefrag)

URLS = [
    "https://user:p%40ss@example.com:8443/a/b;params?q=1&q=2&empty=#frag",
    "mailto:someone@example.com",
    "//cdn.example.org/lib.js",
    "/relative/path?x=y",
    "http://[2001:db8::1]:80/",
    "file:///etc/hosts",
    "HTTP://EXAMPLE.com",
]
for u in URLS:
    p = urlparse(u)
    print(p)
    print("   ", p.hostname, p.port, p.username, p.password, p.geturl())

base = "http://example.com/docs/guide/index.html?v=1"
for rel in ("../api", "page2.html", "/root", "?v=2", "#top", "//other.org/x", "./a/./b/../c", "", "https://z.io"):
    print(f"{rel!r:16} -> {urljoin(base, rel)}")

print(parse_qs("a=1&b=2&a=3&c=&d", keep_blank_values=True), parse_qsl("x=%20y&z=a+b"))
print(urlencode({"name": "Zoë & Co", "ids": [1, 2]}, doseq=True), urlencode([("q", "a/b"), ("r", "~")], safe="/"))
print(quote("/path with/ünï?"), quote_plus("a b&c=d"), unquote("%E2%82%AC%zz"), unquote_plus("a+b%2B"), quote(b"\x00\xff"))
print(urldefrag("http://x.y/z#sec"), urlunsplit(("https", "h.com", "p", "q=1", "f")))
print(urlsplit("http://h/p")._replace(query="new=1").geturl(), urlsplit(b"http://b/").netloc)
for bad in ("http://[::1", "http://h:99999/", "http://h:abc/"):
    try:
        print(urlsplit(bad).port)
    except ValueError as e:
        print("ValueError:", e)
