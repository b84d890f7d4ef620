#: promise = "subprocess raises OSError for every kind of command"
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import subprocess
import sys

for attempt in (
    lambda: subprocess.run(["/bin/true"]),
    lambda: subprocess.run("id", shell=True),
    lambda: subprocess.Popen([sys.executable or "python", "-c", "print(1)"], stdout=subprocess.PIPE),
    lambda: subprocess.check_output(["cat", "/etc/passwd"]),
    lambda: subprocess.getoutput("id"),
    lambda: subprocess.Popen("id", preexec_fn=print, close_fds=False),
):
    try:
        attempt()
    except OSError:
        continue
    raise AssertionError("a process was started")
print("ok")
