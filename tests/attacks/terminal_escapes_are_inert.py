#: promise = "Escape sequences on stdout and stderr are data, and what surrounds them is kept"
#: outcome = ["completed"]
#: exit_code = 0
#: stdout_has = ["before", "after"]
#: stderr_has = ["before", "after"]
import sys

evil = "\x1b[2J\x1b[H\x1b]0;title\x07\x1b]52;c;ZXZpbA==\x07\x1b[8m\x1bc\x9b31m\x1b]8;;http://127.0.0.1\x1b\\link\x1b]8;;\x1b\\\x1bP+q544e\x1b\\"
for stream in (sys.stdout, sys.stderr):
    print("before", evil, "after", file=stream)
