import argparse
from contextlib import redirect_stderr
import io


def positive(text):
    n = int(text)
    if n <= 0:
        raise argparse.ArgumentTypeError(f"{text} is not positive")
    return n


parser = argparse.ArgumentParser(prog="tool", description="A demo tool.", epilog="See the manual.")
parser.add_argument("-v", "--verbose", action="count", default=0, help="more output")
parser.add_argument("--version", action="version", version="%(prog)s 1.2")
sub = parser.add_subparsers(dest="command", required=True, metavar="CMD")
add = sub.add_parser("add", help="add things", aliases=["a"])
add.add_argument("files", nargs="+", metavar="FILE")
add.add_argument("-n", "--count", type=positive, default=1, help="how many (default: %(default)s)")
add.add_argument("--mode", choices=["fast", "slow"], default="fast")
group = add.add_mutually_exclusive_group()
group.add_argument("--json", action="store_true")
group.add_argument("--xml", action="store_true")
run = sub.add_parser("run", help="run a command")
run.add_argument("--env", action="append", default=[])
run.add_argument("--dry-run", action=argparse.BooleanOptionalAction, default=True)
run.add_argument("rest", nargs=argparse.REMAINDER)

print(parser.format_help())
print(add.format_help())
CASES = ["-vv add x.txt y.txt -n 3 --json", "a z --mode=slow", "run --env A=1 --env B=2 --no-dry-run cmd -x --flag", "add", "add f -n -4",
         "add f --mode warp", "add f --json --xml", "frobnicate", "", "--version", "add f --bogus"]
for case in CASES:
    err = io.StringIO()
    try:
        with redirect_stderr(err):
            ns = parser.parse_args(case.split())
        print(ns)
    except SystemExit as e:
        print(f"{case!r} exit={e.code} {err.getvalue().strip().splitlines()[-1:] }")
print(argparse.ArgumentParser(exit_on_error=False, prog="q").parse_known_args(["--x", "1"]))
