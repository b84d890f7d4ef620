#: promise = "Modules for terminals, users, memory maps and resources are missing or refuse to do harm"
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import importlib

uses = {
    "mmap": lambda m: m.mmap(-1, 2**40),
    "resource": lambda m: m.setrlimit(m.RLIMIT_NOFILE, (2**40, 2**40)),
    "pwd": lambda m: m.getpwnam("no-such-user"),
    "grp": lambda m: m.getgrnam("no-such-group"),
    "termios": lambda m: m.tcgetattr(0),
    "fcntl": lambda m: m.ioctl(0, 0x5412, b"x"),
    "curses": lambda m: m.initscr(),
    "readline": lambda m: m.read_history_file("/root/.bash_history"),
    "syslog": lambda m: m.no_such_function(),
    "tkinter": lambda m: m.Tk(),
    "webbrowser": lambda m: m.get("no-such-browser"),
    "getpass": lambda m: m.no_such_function(),
}
for name, use in uses.items():
    try:
        use(importlib.import_module(name))
    except Exception:
        continue
    raise AssertionError(f"{name} worked")
print("ok")
