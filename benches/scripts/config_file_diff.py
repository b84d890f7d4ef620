import difflib

before = """\
server:
  host: localhost
  port: 8080
  workers: 2
logging:
  level: info
  file: app.log
database:
  url: sqlite:///app.db
""".splitlines(keepends=True)

after = """\
server:
  host: 0.0.0.0
  port: 8080
  workers: 8
  timeout: 30
logging:
  level: debug
database:
  url: postgres://db/app
  pool: 5
""".splitlines(keepends=True)

diff = list(difflib.unified_diff(before, after, "config.old.yml", "config.new.yml", n=1))
print("".join(diff), end="")

added = sum(line.startswith("+") and not line.startswith("+++") for line in diff)
removed = sum(line.startswith("-") and not line.startswith("---") for line in diff)
ratio = difflib.SequenceMatcher(None, before, after).ratio()
print(f"\n{added} additions, {removed} deletions, {ratio:.0%} alike")

known = ["server", "logging", "database", "cache"]
for typo in ("sever", "loging", "datbase", "xyz"):
    matches = difflib.get_close_matches(typo, known, n=1)
    print(f"unknown section {typo!r}:", f"did you mean {matches[0]!r}?" if matches else "no suggestion")
