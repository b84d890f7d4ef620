import csv
import io

ROWS = [
    ["id", "name", "quote", "amount"],
    [1, "Ann", 'She said "hi"', 10.5],
    [2, "Bob, Jr.", "multi\nline", None],
    [3, "Çelik", "", -3],
]
with open("out.csv", "w", newline="", encoding="utf-8") as fh:
    csv.writer(fh).writerows(ROWS)
print(repr(open("out.csv", newline="", encoding="utf-8").read()))

with open("out.csv", newline="", encoding="utf-8") as fh:
    for row in csv.DictReader(fh):
        print(row)

for quoting in (csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC, csv.QUOTE_STRINGS, csv.QUOTE_NOTNULL):
    buf = io.StringIO()
    csv.writer(buf, quoting=quoting, lineterminator="\n").writerow([1, "a b", None, 2.5, "x;y"])
    print(buf.getvalue(), end="")


class Pipes(csv.Dialect):
    delimiter = "|"
    quotechar = "'"
    escapechar = "\\"
    doublequote = False
    skipinitialspace = True
    lineterminator = "\n"
    quoting = csv.QUOTE_MINIMAL


csv.register_dialect("pipes", Pipes)
print(list(csv.reader(["a| 'b|c'|d\\|e", "x||'it\\'s'"], "pipes")))
print(csv.list_dialects(), csv.get_dialect("excel-tab").delimiter.encode())
sample = "name;age;city\nann;31;Oslo\nbob;42;Rome\n"
dialect = csv.Sniffer().sniff(sample)
print(dialect.delimiter, csv.Sniffer().has_header(sample))
buf = io.StringIO()
w = csv.DictWriter(buf, ["a", "b"], restval="?", extrasaction="ignore")
w.writeheader()
w.writerow({"a": 1, "z": 3})
print(repr(buf.getvalue()))
for bad in (lambda: list(csv.reader(['"open'], strict=True)), lambda: csv.DictWriter(io.StringIO(), ["a"]).writerow({"b": 1})):
    try:
        bad()
    except (csv.Error, ValueError) as e:
        print(type(e).__name__, e)
