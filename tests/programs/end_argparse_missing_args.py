import argparse

parser = argparse.ArgumentParser(prog="convert", description="Convert files.")
parser.add_argument("source", help="input file")
parser.add_argument("target", help="output file")
parser.add_argument("-q", "--quality", type=int, default=80)
print(parser.parse_args(["a.png", "b.jpg", "-q", "90"]))
print(parser.format_usage().strip())
for name, value in sorted(vars(parser.parse_args(["in", "out"])).items()):
    print(f"{name:8} {value!r}")
print(parser.get_default("quality"), [a.dest for a in parser._actions])
ns = parser.parse_args()
print("unreachable", ns)
