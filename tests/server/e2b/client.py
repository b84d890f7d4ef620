"""Uses pyexec by E2B's client: E2B_API_URL, E2B_SANDBOX_URL and E2B_API_KEY name the server and a key."""

import time

from e2b import CommandExitException, NotFoundException, SandboxException
from e2b_code_interpreter import Sandbox


def equal(got, wanted):
    assert got == wanted, f"{got!r} is not {wanted!r}"


def fails(kind, work):
    try:
        work()
    except kind as error:
        return str(error)
    raise AssertionError(f"no {kind.__name__}")


def run_code(box):
    first = box.run_code("import math\nx = 20\nprint('out')\nx + math.floor(1.5)")
    equal((first.text, first.logs.stdout, first.error, first.execution_count), ("21", ["out\n"], None, 1))
    equal(box.run_code("x += 1\n'text'").text, "text")
    failed = box.run_code("import sys\nprint('to stderr', file=sys.stderr)\ndef f():\n    return {}['key']\nf()")
    equal((failed.error.name, failed.error.value, failed.logs.stderr), ("KeyError", "'key'", ["to stderr\n"]))
    assert failed.error.traceback.startswith("Traceback") and "in f" in failed.error.traceback, failed.error.traceback
    wrong = box.run_code("x = (")
    equal((wrong.error.name, wrong.logs.stderr), ("SyntaxError", []))
    equal(box.run_code("x, await __import__('asyncio').sleep(0, 'awaited')").text, "(21, 'awaited')")
    equal(box.run_code("import sys\nsys.exit(3)").error.value, "3")
    seen = []
    box.run_code("for n in range(3): print(n, flush=True)", on_stdout=lambda message: seen.append(message.line))
    equal("".join(seen), "0\n1\n2\n")
    equal(box.run_code("import os\nos.environ['OF_BOX'], os.environ.get('OF_CALL')", envs={"OF_CALL": "it's \"ü\"\n"}).text,
          "('box', 'it\\'s \"ü\"\\n')")
    equal(box.run_code("os.environ.get('OF_CALL')").text, None)


def timeouts(box):
    fails(Exception, lambda: box.run_code("x = 7\nwhile True: pass", timeout=1))
    # Its connection is closed, and so it is interrupted.
    started = time.monotonic()
    equal(box.run_code("x", timeout=20).text, "7")
    assert time.monotonic() - started < 15


def files(box):
    info = box.files.write("made/in.txt", "content")
    equal(info.path, "/home/user/made/in.txt")
    equal(box.run_code("open('made/in.txt').read()").text, "content")
    box.run_code("open('out.bin', 'wb').write(bytes(range(256)))")
    equal(bytes(box.files.read("/home/user/out.bin", format="bytes")), bytes(range(256)))
    many = box.files.write_files([{"path": "a.txt", "data": "a"}, {"path": "/home/user/b/c.txt", "data": b"c"}])
    equal([one.path for one in many], ["/home/user/a.txt", "/home/user/b/c.txt"])
    equal(sorted(entry.path for entry in box.files.list("/home/user")),
          ["/home/user/a.txt", "/home/user/b", "/home/user/made", "/home/user/out.bin"])
    equal((box.files.exists("b/c.txt"), box.files.exists("b/none")), (True, False))
    equal(box.files.get_info("out.bin").size, 256)
    box.files.rename("b", "moved")
    equal(box.files.read("moved/c.txt"), "c")
    box.files.remove("moved")
    equal(box.files.exists("moved"), False)
    fails(NotFoundException, lambda: box.files.read("none"))
    assert "/home/user" in fails(Exception, lambda: box.files.write("/etc/passwd", "x"))


def contexts(box):
    other = box.create_code_context()
    equal(box.run_code("'x' in globals(), open('a.txt').read()", context=other).text, "(False, 'a')")
    box.run_code("y = 1", context=other)
    equal((box.run_code("y", context=other).text, box.run_code("x").text), ("1", "7"))
    equal(len(box.list_code_contexts()), 2)
    box.restart_code_context(other)
    equal(box.run_code("y", context=other).error.name, "NameError")
    box.remove_code_context(other)
    equal([context.id for context in box.list_code_contexts()], [box.sandbox_id])
    fails(Exception, lambda: box.run_code("1", context=other))
    assert "python" in fails(Exception, lambda: box.run_code("1", language="r")).lower()


def control(box):
    info = box.get_info()
    equal((info.sandbox_id, info.metadata), (box.sandbox_id, {"of": "test"}))
    again = Sandbox.connect(box.sandbox_id)
    equal(again.run_code("x").text, "7")
    listed = Sandbox.list().next_items()
    assert box.sandbox_id in [one.sandbox_id for one in listed], listed
    equal(box.is_running(), True)
    error = fails(Exception, lambda: box.commands.run("ls"))
    assert "Python only" in error, error
    fails(Exception, box.pause if hasattr(box, "pause") else box.beta_pause)
    box.set_timeout(1)
    for _ in range(100):
        if not Sandbox.list().next_items():
            break
        time.sleep(0.1)
    equal(box.is_running(), False)
    fails(Exception, lambda: box.run_code("1"))
    equal(box.kill(), False)
    other = Sandbox.create()
    equal((other.kill(), other.kill()), (True, False))


box = Sandbox.create(timeout=600, metadata={"of": "test"}, envs={"OF_BOX": "box"})
for check in (run_code, timeouts, files, contexts, control):
    check(box)
    print("ok", check.__name__)
