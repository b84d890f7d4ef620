#: promise = "Variables of the host process are not in the environment of a job"
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import os

secret = ["CARGO", "CARGO_MANIFEST_DIR", "CARGO_PKG_NAME", "RUST_BACKTRACE", "SSH_AUTH_SOCK", "LOGNAME", "SHELL", "LS_COLORS", "DOCKER_HOST"]
secret += ["AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "LD_LIBRARY_PATH", "LD_PRELOAD", "OLDPWD", "SHLVL", "MAIL", "XDG_RUNTIME_DIR"]
for name in secret:
    assert name not in os.environ and os.getenv(name) is None, name
for name in os.environ:
    assert not name.startswith(("PYEXEC_", "CARGO_", "RUST")), name
os.environ["MINE"] = "1"
os.putenv("MINE2", "1")
os.environ["NUL"] = "a"
for bad in (("A\0B", "x"), ("A", "x\0"), ("A=B", "x"), ("", "x")):
    try:
        os.environ[bad[0]] = bad[1]
    except (ValueError, OSError):
        continue
    raise AssertionError(bad)
print("ok")
