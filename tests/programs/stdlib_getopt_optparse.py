import getopt
import optparse

args = ["-a", "-b", "value", "--long", "--output=file.txt", "--verb", "pos1", "-c"]
opts, rest = getopt.getopt(args, "ab:c", ["long", "output=", "verbose"])
print(opts, rest)
opts, rest = getopt.gnu_getopt(args, "ab:c", ["long", "output=", "verbose"])
print(opts, rest)
for bad in (["-z"], ["-b"], ["--nope"], ["--long=3"], ["--o"]):
    try:
        print(getopt.getopt(bad, "ab:", ["long", "output=", "opt2"]))
    except getopt.GetoptError as e:
        print(f"{e.msg} [{e.opt}]")


class Parser(optparse.OptionParser):
    def error(self, msg):
        raise ValueError(msg)


p = Parser(usage="%prog [options] arg", prog="opt", version="%prog 0.9")
p.add_option("-f", "--file", dest="filename", metavar="FILE", help="write to FILE")
p.add_option("-q", action="store_false", dest="verbose", default=True, help="quiet [default: %default]")
p.add_option("-n", type="int", default=10)
p.add_option("-l", action="append")
p.add_option("--rgb", type="float", nargs=3)
p.add_option("-m", type="choice", choices=["x", "y"])
g = optparse.OptionGroup(p, "Danger", "Be careful.")
g.add_option("--force", action="callback", callback=lambda o, opt, v, parser: setattr(parser.values, "forced", opt))
p.add_option_group(g)
print(p.format_help())
o, a = p.parse_args(["-f", "out", "-q", "-n5", "-l", "1", "-l2", "--rgb", "1", ".5", "0", "--force", "left", "over"])
print(sorted(vars(o).items(), key=str), a)
for bad in (["-n", "x"], ["--zzz"], ["-m", "q"], ["--rgb", "1"]):
    try:
        p.parse_args(bad)
    except ValueError as e:
        print("ValueError:", e)
print(p.get_version(), p.get_usage().strip())
