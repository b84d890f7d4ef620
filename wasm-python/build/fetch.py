"""Downloads the first of several URLs that answers: fetch.py FILE URL..."""
import shutil
import sys
import urllib.request

target, *urls = sys.argv[1:]
failures = []
for url in urls:
    try:
        with urllib.request.urlopen(url, timeout=60) as response, open(target, "wb") as file:
            shutil.copyfileobj(response, file, 1 << 20)
        break
    except OSError as error:
        failures.append(f"  {url}: {error}")
else:
    sys.exit("none of these answered:\n" + "\n".join(failures))
