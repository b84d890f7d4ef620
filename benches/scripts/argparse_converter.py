import argparse

LENGTHS = {"m": 1.0, "km": 1000.0, "cm": 0.01, "mi": 1609.344, "ft": 0.3048, "in": 0.0254}


def to_celsius(value, unit):
    return {"c": value, "f": (value - 32) * 5 / 9, "k": value - 273.15}[unit]


def from_celsius(value, unit):
    return {"c": value, "f": value * 9 / 5 + 32, "k": value + 273.15}[unit]


def build_parser():
    parser = argparse.ArgumentParser(prog="convert", description="Converts units.")
    parser.add_argument("-p", "--precision", type=int, default=2, metavar="N", help="digits after the point")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, units in (("length", sorted(LENGTHS)), ("temperature", ["c", "f", "k"])):
        command = commands.add_parser(name, help=f"convert a {name}")
        command.add_argument("value", type=float)
        command.add_argument("source", choices=units)
        command.add_argument("target", choices=units)
    return parser


def run(arguments):
    options = build_parser().parse_args(arguments)
    if options.command == "length":
        result = options.value * LENGTHS[options.source] / LENGTHS[options.target]
    else:
        result = from_celsius(to_celsius(options.value, options.source), options.target)
    return f"{options.value:g} {options.source} = {result:.{options.precision}f} {options.target}"


for line in ("length 5 km mi", "-p 4 length 6 ft m", "temperature 451 f c", "-p 0 temperature 0 k f"):
    print(run(line.split()))
print(build_parser().format_help())
