# stdin:
#< add 3 4
#< add 1
#< 
#< history
#< bogus thing
#< help
#< help add
#< ?vars
#< set name = world
#< greet
#< !shell command
#< quit
#< never reached
import cmd
import sys


class Shell(cmd.Cmd):
    intro = "Welcome. Type help or ?."
    prompt = "(demo) "
    use_rawinput = False
    ruler = "-"

    def __init__(self, **kw):
        super().__init__(**kw)
        self.vars = {}
        self.lines = []

    def precmd(self, line):
        self.lines.append(line)
        print("<<", repr(line))
        return line

    def do_add(self, arg):
        """add N... - print the sum"""
        print(sum(map(int, arg.split())))

    def do_history(self, arg):
        "Show history."
        for i, line in enumerate(self.lines, 1):
            print(f"{i:3} {line}")

    def do_set(self, arg):
        key, _, value = arg.partition("=")
        self.vars[key.strip()] = value.strip()

    def do_greet(self, arg):
        print("hello", self.vars.get("name", "nobody"))

    def help_vars(self):
        print("variables are set with 'set k = v'")

    def do_shell(self, arg):
        print("shell:", arg)

    def do_quit(self, arg):
        return True

    def postloop(self):
        print("bye", self.vars)


Shell(stdin=sys.stdin, stdout=sys.stdout).cmdloop()
s = Shell()
print(s.onecmd("add 5 6"), s.parseline("foo bar baz"), s.completenames("h"), s.lastcmd)
