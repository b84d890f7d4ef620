#: promise = "fork, exec, spawn, system and popen are missing or fail, and the job goes on"
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import os

program = "/bin/true"
calls = [("fork",), ("forkpty",), ("execv", program, ["x"]), ("execve", program, ["x"], {}), ("execl", program, "x"), ("execvp", "true", ["x"])]
calls += [("spawnv", 0, program, ["x"]), ("spawnlp", 0, "true", "x"), ("posix_spawn", program, ["x"], {}), ("posix_spawnp", "true", ["x"], {})]
calls += [("popen", "true"), ("vfork",), ("startfile", "x"), ("waitpid", -1, 0), ("wait",)]
for name, *arguments in calls:
    try:
        getattr(os, name)(*arguments)
    except (OSError, AttributeError, NotImplementedError, TypeError):
        continue
    raise AssertionError(f"os.{name} was allowed")
try:
    os.fork()
except OSError:
    pass
try:
    assert os.system("true") != 0, "os.system worked"
except (OSError, AttributeError, NotImplementedError):
    pass
print("ok")
