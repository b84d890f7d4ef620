#!/usr/bin/env python3
"""Checks the page of a running server in a real Chromium, with nothing but the standard library.

usage: check_page.py BASE_URL CHROMIUM OUT_DIR

Screenshots go to OUT_DIR. PYEXEC_API_KEY is typed into the page when the server asks for one. Exit code 0: all promises are
kept; 1: some are not, each named on stderr; 2: wrong usage, or the browser or the server could not be reached.
"""

import base64
import fcntl
import json
import os
import re
import select
import shutil
import signal
import sys
import tempfile
import time
import traceback

STEP_SECONDS = 60
ALT, CTRL, SHIFT = 1, 2, 8
KEYS = {"n": 78, "Tab": 9, "Enter": 13, "Escape": 27, "Backspace": 8, "Home": 36, "End": 35, "a": 65, "z": 90}
CHECKS = []


class Failure(Exception):
    """A promise that the page does not keep."""


def check(function):
    CHECKS.append(function)
    return function


def main():
    if len(sys.argv) != 4:
        print(__doc__.split("\n\n")[1], file=sys.stderr)
        return 2
    base, chromium, out_dir = sys.argv[1].rstrip("/"), shutil.which(sys.argv[2]), sys.argv[3]
    if not chromium:
        print(f"no browser at {sys.argv[2]}; on Debian: apt-get install chromium", file=sys.stderr)
        return 2
    os.makedirs(out_dir, exist_ok=True)
    for old in os.listdir(out_dir):
        if old.startswith("failed-"):
            os.remove(os.path.join(out_dir, old))
    broken = []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        browser = Browser(chromium, scratch)
        try:
            page = Page(browser, base, out_dir, scratch)
            page.open()
        except Failure as problem:
            browser.close()
            print(problem, file=sys.stderr)
            return 2
        except (OSError, EOFError) as problem:
            browser.close()
            print(f"{chromium} does not work: {problem}\n{browser.log()}", file=sys.stderr)
            return 2
        try:
            for promise in CHECKS:
                name = promise.__name__.replace("_", " ")
                started = time.monotonic()
                try:
                    promise(page)
                    print(f"ok    {name} ({time.monotonic() - started:.1f} s)", flush=True)
                except Failure as problem:
                    broken.append(name)
                    print(f"FAIL  {name}: {problem}", file=sys.stderr, flush=True)
                    page.screenshot(f"failed-{promise.__name__}.png")
        except Exception:  # The browser is gone, or this script is wrong: the rest cannot be checked.
            traceback.print_exc()
            print(browser.log(), file=sys.stderr)
            return 2
        finally:
            browser.close()
    if broken:
        print(f"{len(broken)} of {len(CHECKS)} failed; see {out_dir} for what the page looked like", file=sys.stderr)
    return 1 if broken else 0


# What the page promises. Each starts from a fresh page.


@check
def the_page_is_complete_and_locked_down(page):
    page.open()
    headers, html = page.document()
    policy = headers.get("content-security-policy", "")
    nonce = re.search(r"script-src 'nonce-([^']+)'", policy)
    ensure(nonce, f"no nonce in Content-Security-Policy: {policy!r}")
    for part in ("default-src 'none'", "connect-src 'self'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"):
        ensure(part in policy, f"{part} is missing in Content-Security-Policy: {policy!r}")
    ensure("unsafe" not in policy, f"Content-Security-Policy allows too much: {policy!r}")
    ensure("{{" not in html, "a placeholder was not filled in")
    ensure(html.count(f'nonce="{nonce[1]}"') == 3, "style and scripts do not carry the nonce of the header")
    page.open()
    ensure(nonce[1] not in page.document()[1], "the nonce is the same at each request")
    ensure(page.js("document.querySelectorAll('#code, #run, #stop, #stdin, #args, #limit, #example').length") == 7, "controls are missing")
    ensure(page.js("getComputedStyle(document.querySelector('.app')).display") == "grid", "the style sheet does not apply")


@check
def every_field_has_a_name(page):
    page.open()
    page.js("document.getElementById('key-toggle').click()")
    nameless = page.js(
        """[...document.querySelectorAll("input, select, textarea, button")]
        .filter((e) => !(e.labels?.length || e.ariaLabel || e.textContent.trim())).map((e) => e.outerHTML)"""
    )
    ensure(not nameless, f"no label: {nameless}")


@check
def typed_code_runs_with_ctrl_enter(page):
    page.open()
    page.type_code('print("hi from", "the page")\n6 * 7')
    page.press("Enter", CTRL)
    page.finished("completed")
    ensure(page.text("output") == "hi from the page\n", f"output is {page.text('output')!r}")
    ensure(page.text("result") == "42", f"result is {page.text('result')!r}")
    ensure(page.text("tier") in ("wasm", "docker"), f"tier is {page.text('tier')!r}")
    ensure(page.text("exit") == "exit 0", f"exit code is shown as {page.text('exit')!r}")
    report = page.js("document.getElementById('report').innerText")
    for name in ("Tier", "Queued", "Wall time", "CPU time", "Fuel", "Peak memory", "Limits hit"):
        ensure(name in report, f"{name} is missing in the report: {report!r}")
    page.screenshot("light.png")


@check
def output_comes_while_the_code_runs(page):
    page.open()
    page.type_code("import time\nprint('early', flush=True)\ntime.sleep(1.5)\nprint('late')")
    page.press("Enter", CTRL)
    page.wait("document.getElementById('output').textContent.includes('early')", "the first line")
    ensure(page.text("status") == "running", f"status is {page.text('status')!r} while it runs")
    ensure("late" not in page.text("output"), "output came in one piece at the end")
    page.finished("completed")
    ensure(page.text("output").endswith("late\n"), f"output is {page.text('output')!r}")


@check
def stderr_is_told_apart(page):
    page.open()
    page.type_code("import sys\nprint('to out', flush=True)\nprint('to err', file=sys.stderr, flush=True)")
    page.press("Enter", CTRL)
    page.finished("completed")
    ensure(page.js("document.querySelector('.piece.stdout').textContent") == "to out\n", "stdout is not by itself")
    ensure(page.js("document.querySelector('.piece.stderr').textContent") == "to err\n", "stderr is not by itself")
    ensure(page.js("document.querySelector('.piece.stderr').ariaLabel") == "stderr", "stderr is not named for screen readers")
    looks = page.js("['stdout', 'stderr'].map((name) => getComputedStyle(document.querySelector('.piece.' + name)).borderLeftWidth)")
    ensure(looks[0] != looks[1], "stdout and stderr look alike without colour")


@check
def markup_stays_text(page):
    page.open()
    attack = '<img src=x onerror="document.title=1"><script>document.title=1</script>'
    page.type_code(f"print({attack!r})\nprint('\\x1b[31m', {attack!r}, '\\x1b[0m \\x07\\x00')\n{attack!r}")
    page.press("Enter", CTRL)
    page.finished("completed")
    ensure(page.text("output").startswith(attack + "\n"), f"output is {page.text('output')!r}")
    ensure(page.text("output").endswith(f" {attack}  \u2407\u2400\n"), f"control characters are not shown: {page.text('output')!r}")
    ensure(attack in page.text("result"), f"result is {page.text('result')!r}")
    ensure(page.js("document.querySelectorAll('main img, main script').length") == 0, "markup became elements")
    ensure(page.js("document.title") == "pyexec", "a job's output ran as script")


@check
def colours_and_carriage_returns_do_what_a_terminal_does(page):
    page.open()
    page.type_code(
        "import sys, time\n"
        "print('\\x1b[1;31mred\\x1b[0m plain \\x1b[38;5;46mgreen\\x1b[39m \\x1b[48;2;1;2;3mground\\x1b[0m')\n"
        "for n in range(101):\n    print(f'\\r{n:3}% done', end='')\n"
        "    if n == 50: sys.stdout.flush(); time.sleep(0.5)\n"
        "print('\\rover\\x1b[K')\n"
        "print('abc\\b\\bX\\x1b]0;a title\\x07\\x1b[?25l!')\n"
        "for part in ('\\x1b', '[32', 'mhalves', '\\x1b[0m', 'a\\r', '\\n'):\n    sys.stdout.write(part); sys.stdout.flush(); time.sleep(0.06)\n"
        "print('\\x1b[4munder', file=sys.stderr)"
    )
    page.press("Enter", CTRL)
    page.finished("completed")
    expected = "red plain green ground\nover\naX!\nhalvesa\nunder\n"
    ensure(page.text("output") == expected, f"output is {page.text('output')!r}")
    spans = page.js("[...document.querySelectorAll('#output .piece span span, #output .piece > span')].filter((e) => e.textContent).map((e) => "
                    "[e.textContent, e.className, getComputedStyle(e).color, getComputedStyle(e).fontWeight, getComputedStyle(e).backgroundColor])")  # fmt: skip
    seen = {text: rest for text, *rest in spans}
    usual = page.js("getComputedStyle(document.querySelector('.piece.stdout')).color")
    ensure(seen["red"][0] == "strong" and seen["red"][1] != usual and int(seen["red"][2]) >= 600, f"red is {seen.get('red')}")
    ensure(seen["green"][1] not in (usual, seen["red"][1]) and seen["halves"][1] != usual, f"green is {seen.get('green')}")
    ensure(seen["ground"][3] == "rgb(1, 2, 3)", f"the ground is {seen.get('ground')}")
    ensure("under" in seen["under"][0], f"underlined is {seen.get('under')}")
    for text in ("red", "green", "ground", "halves"):
        ratio = page.js(CONTRAST % f"[...document.querySelectorAll('#output .piece span')].find((e) => e.textContent === {text!r})")
        ensure(ratio >= 3.5, f"the contrast of {text} is {ratio:.1f}")
    page.screenshot("colours.png")
    # A line that grows for ever is overwritten in time that does not.
    page.type_code("import sys\nsys.stdout.write('x' * 500_000)\nfor n in range(20_000): sys.stdout.write(f'\\r{n}')")
    started = time.monotonic()
    page.press("Enter", CTRL)
    page.finished("completed")
    ensure(page.text("output").endswith("19999"), f"output ends with {page.text('output')[-20:]!r}")
    ensure(time.monotonic() - started < 10, "overwriting a long line takes long")


@check
def the_button_says_that_it_runs(page):
    for scheme in ("light", "dark"):
        page.open()
        page.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        page.type_code("import time\nprint('up', flush=True)\ntime.sleep(60)")
        page.press("Enter", CTRL)
        page.wait("document.getElementById('output').textContent.includes('up')", "the job to start")
        ensure(page.js("document.getElementById('run').innerText.trim()") == "Running…", f"the button says {page.text('run')!r}")
        ratio = page.js(CONTRAST % "document.getElementById('run')")
        ensure(ratio >= 4.5, f"its contrast is {ratio:.1f} in {scheme}")
        page.screenshot(f"running-{scheme}.png")
        page.click("stop")
        page.finished("killed")
        ensure(page.js("document.getElementById('run').innerText.startsWith('Run')") and not page.js("document.getElementById('run-keys').hidden"), "it stays")
    page.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "light"}])


# The ratio of WCAG between an element's text and what it stands on.
CONTRAST = """((element) => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d");
  const layers = [];
  for (let e = element; e; e = e.parentElement) layers.unshift(getComputedStyle(e).backgroundColor);
  const paint = (colours) => { canvas.clearRect(0, 0, 1, 1); for (const c of colours) { canvas.fillStyle = c; canvas.fillRect(0, 0, 1, 1); } return [...canvas.getImageData(0, 0, 1, 1).data]; };
  const light = (rgb) => rgb.slice(0, 3).map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const [a, b] = [light(paint(layers)), light(paint([...layers, getComputedStyle(element).color]))];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
})(%s)"""


@check
def progress_is_shown_until_the_code_runs(page):
    page.open()
    page.type_code("print(1)")
    event = "event: {}\ndata: {}\n\n".format
    start = event("state", '{"status":"pending","execution_id":"exe_1"}') + event("progress", '{"text":"installing 3 packages"}')
    with page.troubles_expected():
        # Its connection ends there, so that it can be looked at.
        page.answer_next(200, {"Content-Type": "text/event-stream"}, start.encode())
        page.click("run")
        page.finished()
    ensure(page.text("progress") == "Installing 3 packages.", f"progress is {page.text('progress')!r}")
    rest = event("state", '{"status":"running"}') + event("stdout", '{"text":"out"}')
    void = event("restarted", '{"reason":"run again with x"}') + event("stdout", '{"text":"second"}')
    result = event("result", '{"status":"completed","exit_code":0,"stdout":"second","stderr":"","execution_id":"exe_1","usage":{}}')
    page.answer_next(200, {"Content-Type": "text/event-stream"}, (start + rest + void + result).encode())
    page.click("run")
    page.finished("completed")
    ensure(page.text("progress") == "", f"progress stays: {page.text('progress')!r}")
    ensure(page.text("output") == "Run again with x.second", f"output is {page.text('output')!r}")


@check
def what_is_asked_for_is_sent(page):
    page.open()
    page.type_code("print(1)")
    done = b'{"status": "completed", "exit_code": 0, "stdout": "", "stderr": ""}'

    def sent():
        requests = page.answer_next(200, {"Content-Type": "application/json"}, done)
        page.click("run")
        page.finished("completed")
        return json.loads(requests[0]["postData"])

    ensure({"requirements_txt", "python_version", "network", "files"}.isdisjoint(sent()), "what nobody asked for is sent")
    page.click("network")
    page.js("document.getElementById('python').value = '3.12'")
    body = sent()
    ensure(body.get("network") is True and body.get("python_version") == "3.12", f"sent: {body}")
    for typed, lines in [
        ("numpy", ["numpy"]),
        ("numpy, pandas>=2,<3 , uvicorn[standard,x]", ["numpy", "pandas>=2,<3", "uvicorn[standard,x]"]),
        ("numpy  pandas >= 2 attrs", ["numpy", "pandas >= 2", "attrs"]),
        ('tomli; python_version < "3.11" and os_name == "posix"', ['tomli; python_version < "3.11" and os_name == "posix"']),
    ]:
        page.js(f"document.getElementById('packages').value = {json.dumps(typed)}")
        body = sent()
        ensure(body["requirements_txt"].split("\n") == lines, f"{typed}: {body['requirements_txt']!r}")


@check
def files_go_with_the_code(page):
    page.open()
    folder = os.path.join(page.downloads, "..", "uploads")
    os.makedirs(folder, exist_ok=True)
    paths = []
    for name, content in (("table.csv", b"a,b\n1,2\n"), ("bytes.bin", bytes(range(256))), ("empty.txt", b""), ("helper.py", b"def f(): return 'helped'\n")):
        paths.append(os.path.join(folder, name))
        with open(paths[-1], "wb") as file:
            file.write(content)
    page.type_code("import helper, os\nprint(sorted(os.listdir()), helper.f(), open('bytes.bin', 'rb').read() == bytes(range(256)))\nopen('table.csv').read()")
    page.choose_files("upload", paths)
    page.wait("document.querySelectorAll('#uploads li').length === 4", "the files to be read")
    page.screenshot("uploads.png")
    page.press("Enter", CTRL)
    page.finished("completed")
    ensure(page.text("output") == "['bytes.bin', 'empty.txt', 'helper.py', 'main.py', 'table.csv'] helped True\n", f"output is {page.text('output')!r}")
    ensure(page.text("result") == repr("a,b\n1,2\n"), f"result is {page.text('result')!r}")
    page.js("document.querySelector('#uploads [aria-label=\"Remove bytes.bin\"]').click()")
    page.type_code("import os\nprint(os.path.exists('bytes.bin'), os.path.exists('table.csv'))")
    page.press("Enter", CTRL)
    page.finished("completed")
    ensure(page.text("output") == "False True\n", f"output is {page.text('output')!r}")
    # A script of this name is what the editor has.
    with open(os.path.join(folder, "main.py"), "w") as file:
        file.write("print('from a file')\n")
    page.choose_files("upload", [os.path.join(folder, "main.py")])
    page.wait("code.value === \"print('from a file')\\n\"", "the script to be in the editor")


@check
def figures_are_seen_whole(page):
    import struct, zlib  # A figure of 640 by 480, as matplotlib makes them.

    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = zlib.compress((b"\0" + b"\x40\x80\xc0" * 640) * 480)
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 640, 480, 8, 2, 0, 0, 0)) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    figure = {"mime": "image/png", "name": "figure 1", "data": base64.b64encode(png).decode()}
    answer = {"status": "completed", "exit_code": 0, "stdout": "before\n", "stderr": "", "result": "42", "execution_id": "exe_1",
              "executor": "docker", "route_reason": "imports matplotlib", "usage": {"wall_us": 5}, "outputs": [figure, figure]}  # fmt: skip
    for height in (640, 860):
        page.send("Emulation.setDeviceMetricsOverride", width=1280, height=height, deviceScaleFactor=1, mobile=False)
        page.open()
        page.type_code("plot()")
        page.answer_next(200, {"Content-Type": "application/json"}, json.dumps(answer).encode())
        page.click("run")
        page.finished("completed")
        page.js("Promise.all([...document.images].map((image) => image.decode()))")
        for number in (0, 1):
            page.js(f"document.images[{number}].scrollIntoView({{ block: 'center' }})")
            cut = page.js(
                f"""((image, pane) => [image.top - pane.top, pane.bottom - image.bottom, image.width / image.height])
                (document.images[{number}].getBoundingClientRect(), document.getElementById("output").getBoundingClientRect())"""
            )
            ensure(cut[0] >= 0 and cut[1] >= 0, f"at a height of {height} figure {number} is cut: {cut}")
            ensure(abs(cut[2] - 4 / 3) < 0.02, f"the figure is out of shape: {cut}")
        page.screenshot(f"figure-{height}.png")
    page.send("Emulation.clearDeviceMetricsOverride")


@check
def the_notebook_runs_cells_in_one_session(page):
    page.open()
    page.press("n", ALT)
    page.wait("!document.getElementById('book').hidden && document.activeElement.className.includes('source')", "the notebook")
    cell = "book.cells()[%d]"
    html = "<style>td { color: rgb(1, 2, 3) }</style><table><tr><td style='font-weight: 900'>ünits</td></tr></table>"
    attack = "<script>parent.document.title = 1</script><img src=x onerror='parent.document.title = 1'><a href='/health'>x</a>"
    png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    cells = [
        "x = 20\nprint('out'); open('made.txt', 'w').write('from a cell')",
        f"class Table:\n    def _repr_html_(self): return {html + attack!r}\nprint('before')\ndisplay({{'image/png': {png!r}}}, raw=True)\nprint('after')\nTable()",
        "import time\nprint('asleep', flush=True)\ntime.sleep(60)",
        "x += 1\nx",
    ]

    def ended(number, count, tone="good"):
        page.wait(f"{cell % number}.count.textContent === '[{count}]'", f"cell {number} to end")
        said = page.js(f"{cell % number}.came.textContent")
        ensure(page.js(f"{cell % number}.element.dataset.tone") == tone, f"cell {number} is not {tone}: {said!r}")
        return said

    for text in cells[:2]:
        page.insert(text)
        page.press("Enter", SHIFT)
    ensure(ended(0, 1).startswith("out\n"), "the output of the first cell is missing")
    ended(1, 2)
    parts = page.js(f"[...{cell % 1}.came.children].map((e) => e.firstElementChild?.tagName ?? e.textContent)")
    ensure(parts[1::2] == ["IMG", "IFRAME"], f"what is shown is not where it was shown: {parts}")
    frame = page.js(f"((f) => [f.sandbox.value, f.contentDocument === null, f.srcdoc])({cell % 1}.came.querySelector('iframe'))")
    ensure(frame[0] == "" and frame[1], f"the frame is no sandbox: {frame[:2]}")
    ensure("<script" not in frame[2] and "onerror" not in frame[2] and "src=" not in frame[2] and "href" not in frame[2], f"the frame has {frame[2]!r}")
    ensure("font-weight: 900" in frame[2] and "rgb(1, 2, 3)" in frame[2], f"styles are gone: {frame[2]!r}")
    page.js("Promise.all([...document.images].map((image) => image.decode()))")
    ensure(page.js("document.title") == "pyexec", "HTML of a program ran as script")
    page.screenshot("notebook.png")
    # Output comes live, and a cell is interrupted, with the names that there are.
    page.insert(cells[2])
    page.press("Enter", SHIFT)
    page.wait(f"{cell % 2}.came.textContent.includes('asleep')", "live output")
    page.click("interrupt")
    ensure("KeyboardInterrupt" in ended(2, 3, "bad"), "the interrupt is not seen")
    page.insert(cells[3])
    page.press("Enter", SHIFT)
    ensure("21" in ended(3, 4), "names are gone")
    # Files come and go.
    folder = os.path.join(page.downloads, "..", "notebook")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "given ü.csv"), "w") as file:
        file.write("a,b\n")
    page.choose_files("upload-kept", [os.path.join(folder, "given ü.csv")])
    page.wait("document.querySelectorAll('#kept li').length === 2", "the file to be there")
    page.insert("open('given ü.csv').read()")
    page.press("Enter", SHIFT)
    ensure(repr("a,b\n") in ended(4, 5), "the file did not arrive")
    page.js("[...document.querySelectorAll('#kept button')].find((b) => b.textContent === 'made.txt').click()")
    saved = os.path.join(page.downloads, "made.txt")
    until(lambda: os.path.exists(saved) and os.path.getsize(saved) > 0, "made.txt to be saved", page.browser)
    # It is there when the page is loaded again, with files after a restart, and without names.
    page.open()
    page.wait("book.cells().length === 6 && document.querySelectorAll('#kept li').length === 2", "the notebook after a reload")
    page.click("restart")
    page.wait("document.getElementById('session-state').textContent === 'restarted'", "the restart")
    page.js(f"book.run({cell % 3})")
    ensure("NameError" in ended(3, 1, "bad"), "names survived a restart")
    page.js(f"book.run({cell % 4})")
    ensure(repr("a,b\n") in ended(4, 2), "files did not survive a restart")
    page.press("n", ALT)
    page.wait("document.getElementById('book').hidden && document.activeElement === code", "the single script")
    page.js("sessionStorage.clear()")


@check
def the_notebook_says_where_it_went(page):
    page.open()
    page.press("n", ALT)
    result = {"status": "completed", "exit_code": 0, "call": 3, "executor": "docker", "route_reason": "it imports torch",
              "moved": {"replayed": 2, "different": [1]}, "displays": []}  # fmt: skip
    page.js(f"book.cells()[0].output = Output.in(book.cells()[0].came), book.cells()[0].output.clear(''), book.take(book.cells()[0], 'result', {json.dumps(result)})")
    said = page.js("book.cells()[0].came.textContent")
    ensure(said == "Moved to a container: 2 earlier cells ran again there; cells 1 ended differently. It imports torch.", f"it says {said!r}")
    ensure(page.text("session-tier") == "in a container", "the tier is not shown")
    page.js("sessionStorage.clear()")


@check
def the_endless_loop_names_its_limit(page):
    page.open()
    page.choose_example("Endless loop")
    page.js("document.getElementById('limit').value = '1'")
    page.click("run")
    page.finished("failed")
    ensure("time limit" in page.text("hit"), f"the limit is not in the status line: {page.text('hit')!r}")
    ensure(re.search(r"Limits hit\s*time limit", page.js("document.getElementById('words').innerText")), "the limit is not in the report")
    ensure("timeout" in page.text("notice"), f"the error is not shown: {page.text('notice')!r}")
    page.screenshot("limit.png")


@check
def stop_kills_a_sleeping_job(page):
    page.open()
    page.type_code("import time\nprint('asleep', flush=True)\ntime.sleep(60)")
    page.press("Enter", CTRL)
    page.wait("document.getElementById('output').textContent.includes('asleep')", "the job to start")
    page.click("stop")
    page.finished("killed")
    ensure(page.js("document.getElementById('stop').ariaDisabled") == "true", "Stop can still be pressed")


@check
def every_example_does_what_it_says(page):
    page.open()
    names = page.js("[...document.getElementById('example').options].filter((o) => !o.hidden).map((o) => o.textContent)")
    ensure(len(names) >= 8, f"examples are missing: {names}")
    for name in names:
        page.choose_example(name)
        page.overlay_matches()
        if name.startswith("Endless"):
            continue
        # Without containers they are refused, and say so; packages come from an index that may not be reached.
        container = page.js("EXAMPLES[document.getElementById('example').value].container === true")
        if container or name.startswith("A package"):
            continue
        page.click("run")
        page.finished("completed")
        expected = "exit 1" if name == "Traceback" else "exit 0"
        ensure(page.text("exit") == expected, f"{name}: {page.text('exit')!r}\n{page.text('output')}")
        ensure(page.text("output").strip() or page.text("result"), f"{name} shows nothing")
        if name.startswith("Dataclass"):
            ensure(page.text("result") == "Version(major=3, minor=14)", f"result is {page.text('result')!r}")
        if name.startswith("Standard input"):
            ensure("the" in page.text("output").split(), f"what was typed did not arrive: {page.text('output')!r}")
        if name == "Traceback":
            report = page.js("document.getElementById('words').innerText")
            ensure("ZeroDivisionError" in report and "line 7" in report, f"the error is not reported: {report!r}")
            page.screenshot("traceback.png")
            page.js("document.querySelector('#words button').click()")
            line = page.js("code.value.slice(0, code.selectionStart).split('\\n').length")
            ensure(line == 7, f"the line of the error leads to line {line}")


@check
def collected_files_can_be_saved(page):
    page.open()
    page.choose_example("Writing a file")
    page.click("run")
    page.finished("completed")
    page.screenshot("files.png")
    for path, content in (("notes/readme.txt", "Made by the job.\n"), ("squares.json", '"5": 25')):
        index = page.js(f"[...document.querySelectorAll('#files a')].findIndex((a) => a.textContent === {json.dumps(path)})")
        ensure(index >= 0, f"{path} is not among the files: {page.text('files')!r}")
        page.js(f"document.querySelectorAll('#files a')[{index}].click()")
        saved = os.path.join(page.downloads, os.path.basename(path))
        # The browser makes the file before it writes it.
        until(lambda saved=saved: os.path.exists(saved) and os.path.getsize(saved) > 0, f"{path} to be saved", page.browser)
        with open(saved, encoding="utf-8") as file:
            text = file.read()
        ensure(content in text, f"{path} was saved as {text!r}")


@check
def a_flood_of_output_is_capped(page):
    page.open()
    page.type_code("for n in range(30_000):\n    print(n, 'x' * 80)\n" + "print('y' * 300_000)")
    page.press("Enter", CTRL)
    page.finished("completed", seconds=60)
    shown = len(page.text("output"))
    ensure(500_000 < shown < 1_100_000, f"{shown} characters are in the page")
    ensure(page.js("document.querySelector('#output .note, #words .raised') !== null"), "nothing says that output is missing")
    page.js("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    below = page.js("(({ scrollHeight, scrollTop, clientHeight }) => scrollHeight - scrollTop - clientHeight)(document.getElementById('output'))")
    ensure(below < 2, f"the end of the output is {below} px further down")
    started = time.monotonic()
    page.js("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    ensure(time.monotonic() - started < 1, "the page is stuck")
    page.open()
    page.type_code("import time\nprint('line\\n' * 200, flush=True)\ntime.sleep(1)\nprint('line\\n' * 200)")
    page.press("Enter", CTRL)
    page.wait("document.getElementById('output').scrollTop > 0", "the output to scroll")
    page.js("document.getElementById('output').scrollTop = 40")
    page.finished("completed")
    ensure(page.js("document.getElementById('output').scrollTop") == 40, "more output moved what somebody had scrolled to")


@check
def the_editor_indents(page):
    page.open()
    page.type_code("def f(x):  # why: so")
    page.press("Enter")
    page.insert("return {1: x}")
    page.press("Enter")
    page.insert("f('a:')")
    page.press("Enter")
    page.press("Tab")
    page.insert("x")
    page.press("Tab")
    page.press("Tab", SHIFT)
    expected = "def f(x):  # why: so\n    return {1: x}\nf('a:')\nx   "
    ensure(page.js("code.value") == expected, f"the code is {page.js('code.value')!r}")
    page.press("a", CTRL, ["selectAll"])
    page.press("Tab")
    ensure(page.js("code.value").startswith("    def f(x):  # why: so\n        return"), f"Tab on lines made {page.js('code.value')!r}")
    page.press("z", CTRL, ["undo"])
    ensure(page.js("code.value") == expected, f"undo made {page.js('code.value')!r}")
    page.type_code("if x:\n        ")
    page.press("Backspace")
    ensure(page.js("code.value") == "if x:\n    ", f"Backspace made {page.js('code.value')!r}")
    page.type_code("s = '''one\ntwo # no comment\n'''  # comment\n@decorated\nclass A: pass\n" + "x = 1  # " + "long " * 80 + "\n" * 60)
    page.overlay_matches()
    kinds = page.js("[...document.querySelectorAll('#overlay .row')].slice(0, 4).map((r) => [...r.children].map((i) => i.className).join())")
    ensure(kinds == ["t-string", "t-string", "t-string,t-comment", "t-name"], f"colours are {kinds}")
    ensure(page.text("numbers").endswith("\n66"), "line numbers do not match")


@check
def the_keyboard_reaches_everything(page):
    page.open()
    seen = []
    for _ in range(30):
        page.press("Tab")
        here = page.js("document.activeElement.id")
        seen.append(here)
        outlined = "getComputedStyle(document.activeElement.id === 'code' ? document.getElementById('editor') : document.activeElement, %s)"
        mark = page.js(outlined % ("'::after'" if here == "code" else "null") + (".borderTopWidth" if here == "code" else ".outlineStyle"))
        ensure(mark not in ("none", "0px"), f"the focus cannot be seen on {here}")
        if here == "code":
            page.press("Tab")
            ensure(page.js("document.activeElement.id") == "code", "Tab leaves the editor instead of indenting")
            page.press("Escape")
        if here == "run":
            break
    for before, after in (("example", "code"), ("code", "args"), ("args", "limit"), ("limit", "python"), ("python", "packages"), ("packages", "add-files"),
                          ("add-files", "stdin"), ("stdin", "run")):  # fmt: skip
        ensure(before in seen and after in seen and seen.index(before) < seen.index(after), f"{after} does not come after {before}: {seen}")
    page.press("Enter")
    page.finished("completed")
    page.press("Tab")
    ensure(page.js("document.activeElement.id") == "stop", "Stop does not follow Run")


@check
def arguments_are_split_as_a_shell_does(page):
    page.open()
    page.type_code("import sys\nprint(sys.argv[1:])")
    page.js("document.getElementById('args').value = `one 'two words' \"a \\\\\" b\" c\\\\ d ''`")
    page.click("run")
    page.finished("completed")
    ensure(page.text("output").strip() == repr(["one", "two words", 'a " b', "c d", ""]), f"arguments are {page.text('output')!r}")
    page.js("document.getElementById('args').value = \"it's\"")
    page.js("document.getElementById('limit').value = '0'")
    page.click("run")
    ensure("quote" in page.text("args-fault") and "seconds" in page.text("limit-fault"), "wrong fields are not named")
    ensure(page.js("document.activeElement.id") == "args", "the focus is not on the wrong field")


@check
def what_was_typed_survives_a_look_at_the_examples(page):
    page.open()
    page.type_code("mine = 1")
    page.choose_example("asyncio")
    page.choose_example("Your code")
    ensure(page.js("code.value") == "mine = 1", f"the code is {page.js('code.value')!r}")
    page.open(keep_code=True)
    ensure(page.js("code.value") == "mine = 1", f"after a reload the code is {page.js('code.value')!r}")


@check
def refusals_are_told_in_words(page):
    page.open()
    page.type_code("print(1)")
    answers = [
        (429, {"Retry-After": "7"}, b'{"error": "the queue is full", "code": "queue_full"}', ["the queue is full", "in 7 seconds"]),
        (503, {}, b'{"error": "shutting down", "request_id": "req_9"}', ["shutting down", "req_9"]),
        (400, {}, b'{"error": "invalid JSON: no"}', ["refused the request: invalid JSON: no"]),
        (413, {}, b'{"error": "total code size 9 bytes exceeds limit"}', ["Too large", "exceeds limit"]),
        (502, {"Content-Type": "text/html"}, b"<h1>Bad Gateway</h1>", ["status 502"]),
        (200, {"Content-Type": "text/event-stream"}, b'event: state\ndata: {"status":"pending","execution_id":"exe_1"}\n\n', ["ended before the result", "exe_1"]),
        (200, {"Content-Type": "text/event-stream"}, b"event: state\ndata: nonsense\n\n", ["not understood"]),
        (None, {}, b"", ["does not answer"]),
    ]
    with page.troubles_expected():
        for status, headers, body, words in answers:
            page.answer_next(status, headers, body)
            page.click("run")
            page.finished()
            for word in words:
                ensure(word in page.text("notice"), f"{status} is told as {page.text('notice')!r}, without {word!r}")
        page.screenshot("refused.png")


@check
def the_api_key_stays_in_this_tab(page):
    page.open(key=False)
    ensure(page.js("document.getElementById('key-form').hidden"), "the key field is shown before it is needed")
    page.type_code("print(1)")
    with page.troubles_expected():
        page.answer_next(401, {"WWW-Authenticate": "Bearer"}, b'{"error": "no key"}')
        page.click("run")
        page.finished()
    ensure("needs an API key" in page.text("notice"), f"401 is told as {page.text('notice')!r}")
    ensure(page.js("document.activeElement.id") == "key", "the key field does not have the focus")
    page.screenshot("key.png")
    page.insert("secret-key")
    page.press("Enter")
    ensure(page.js("document.getElementById('key-form').hidden"), "the key field stays")
    sent = page.answer_next(200, {"Content-Type": "application/json"}, b'{"status": "completed", "exit_code": 0, "stdout": "whole\\n", "stderr": ""}')
    page.press("Enter", CTRL)
    page.finished("completed")
    ensure(page.text("output") == "whole\n", "an answer in one piece is not shown")
    ensure({k.lower(): v for k, v in sent[0]["headers"].items()}.get("authorization") == "Bearer secret-key", "the key was not sent")
    ensure("secret-key" not in page.js("JSON.stringify(localStorage) + document.cookie + location.href"), "the key is kept for longer")
    page.js("sessionStorage.clear()")


@check
def light_dark_and_narrow_look_right(page):
    page.open()
    page.js("localStorage.clear()")
    backgrounds = {}
    for scheme in ("light", "dark"):
        page.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        backgrounds[scheme] = page.js("getComputedStyle(document.body).backgroundColor")
    ensure(backgrounds["light"] != backgrounds["dark"], "the system's dark theme is ignored")
    page.click("theme")
    ensure(page.js("getComputedStyle(document.body).backgroundColor") == backgrounds["light"], "the toggle does not win over the system")
    page.open()
    ensure(page.js("getComputedStyle(document.body).backgroundColor") == backgrounds["light"], "the theme is not kept")
    page.click("theme")
    page.type_code("import sys\n\n\ndef mean(values):\n    return sum(values) / len(values)\n\n\nprint('mean', mean([3, 4, 8]), flush=True)\n"
                   "print('a warning', file=sys.stderr)\n{'mean': mean([3, 4, 8])}")  # fmt: skip
    page.press("Enter", CTRL)
    page.finished("completed")
    ensure(page.js("getComputedStyle(document.body).backgroundColor") == backgrounds["dark"], "the toggle has no dark")
    page.screenshot("dark.png")
    page.js("localStorage.clear()")
    page.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-reduced-motion", "value": "reduce"}])
    for width in (360, 768):
        page.send("Emulation.setDeviceMetricsOverride", width=width, height=780, deviceScaleFactor=2, mobile=True)
        page.send("Emulation.setTouchEmulationEnabled", enabled=True)
        page.open()
        page.choose_example("Traceback")
        page.click("run")
        page.finished("completed")
        wide = page.js("[document.documentElement.scrollWidth, innerWidth]")
        ensure(wide[0] <= wide[1], f"at {width} px the page is {wide[0]} px wide")
        page.screenshot(f"{width}.png", whole=True)
    page.send("Emulation.setEmulatedMedia", features=[])
    page.send("Emulation.setTouchEmulationEnabled", enabled=False)
    page.send("Emulation.clearDeviceMetricsOverride")
    page.open()


@check
def what_the_documentation_offers_to_try_works_as_it_is(page):
    page.send("Page.navigate", url=page.base + "/docs/")
    operation = "document.getElementById('operations-run-eval')"
    page.wait(f"{operation} !== null", "Swagger UI")
    page.js(f"{operation}.querySelector('.opblock-summary-control').click()")
    page.wait(f"{operation}.querySelector('button.execute') !== null", "the form")
    answer = f"({operation}.querySelector('.live-responses-table')?.innerText ?? '')"
    # As a person does: Swagger UI takes a click in the moment after it has drawn the form, and sends nothing.
    ask = f"(() => {{ if (Date.now() - (window.asked ?? 0) > 2000) {{ window.asked = Date.now(); {operation}.querySelector('button.execute').click(); }} }})()"
    page.wait(f"({answer}.includes('request-id') || {ask})", "an answer")
    ensure('"stdout": "hello"' in page.js(answer) and '"result": "42"' in page.js(answer), f"the answer is {page.js(answer)[:2000]}")
    page.screenshot("docs.png")
    page.open()


@check
def nothing_failed_and_nothing_came_from_outside(page):
    ensure(page.requests, "no request was seen at all")
    different = list(dict.fromkeys(page.troubles))
    ensure(not different, "\n".join(different[:20]))


# How they are checked.


def ensure(condition, message):
    if not condition:
        raise Failure(message)


def until(condition, what, browser, seconds=STEP_SECONDS):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise Failure(f"waited {seconds} s for {what}")
        browser.listen(0.03)


class Browser:
    """Chromium, driven over the DevTools protocol on a pair of pipes: JSON, each message ended by a NUL."""

    def __init__(self, chromium, scratch):
        self.buffer, self.answers, self.last, self.listeners = b"", {}, 0, []
        self.log_path = os.path.join(scratch, "chromium.log")
        # Away from the low numbers, so that 3 and 4 below cannot overwrite them.
        commands, self.commands = map(above_ten, os.pipe())
        self.events, events = map(above_ten, os.pipe())
        flags = ["--headless=new", "--remote-debugging-pipe", f"--user-data-dir={scratch}/profile", "--no-first-run", "--disable-gpu",
                 "--disable-dev-shm-usage", "--disable-extensions", "--disable-background-networking", "--window-size=1280,860",
                 "--hide-scrollbars", "about:blank"]  # fmt: skip
        if os.geteuid() == 0:
            flags.insert(0, "--no-sandbox")  # Chromium refuses its sandbox to root.
        self.process = os.posix_spawn(
            chromium,
            [chromium, *flags],
            os.environ,
            file_actions=[
                (os.POSIX_SPAWN_DUP2, commands, 3),
                (os.POSIX_SPAWN_DUP2, events, 4),
                (os.POSIX_SPAWN_OPEN, 2, self.log_path, os.O_WRONLY | os.O_CREAT, 0o600),
            ],
            setpgroup=0,
        )
        os.close(commands)
        os.close(events)

    def send(self, method, session=None, **parameters):
        self.last += 1
        number = self.last
        message = {"id": number, "method": method, "params": parameters, **({"sessionId": session} if session else {})}
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.commands, data) :]
        until(lambda: number in self.answers, f"the browser to answer {method}", self, 60)
        answer = self.answers.pop(number)
        if "error" in answer:
            raise Failure(f"{method}: {answer['error'].get('message')}")
        return answer["result"]

    def post(self, method, session, **parameters):
        """Without waiting, for use from a listener."""
        self.last += 1
        message = {"id": self.last, "method": method, "params": parameters, "sessionId": session}
        os.write(self.commands, json.dumps(message).encode() + b"\0")

    def listen(self, seconds):
        if not select.select([self.events], [], [], seconds)[0]:
            return
        data = os.read(self.events, 1 << 20)
        if not data:
            raise EOFError("the browser has ended")
        *messages, self.buffer = (self.buffer + data).split(b"\0")
        for message in map(json.loads, messages):
            if "id" in message:
                self.answers[message["id"]] = message
            else:
                for listener in self.listeners:
                    listener(message["method"], message["params"])

    def log(self):
        try:
            with open(self.log_path, encoding="utf-8", errors="replace") as file:
                return file.read()[-2000:]
        except OSError:
            return ""

    def close(self):
        try:
            os.killpg(self.process, signal.SIGKILL)
        except ProcessLookupError:
            pass
        os.waitpid(self.process, 0)


def above_ten(descriptor):
    high = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 10)
    os.close(descriptor)
    return high


class Page:
    """The one tab, with a record of all that went wrong in it."""

    def __init__(self, browser, base, out_dir, scratch):
        self.browser, self.base, self.out_dir = browser, base, out_dir
        self.downloads = os.path.join(scratch, "downloads")
        self.key = os.environ.get("PYEXEC_API_KEY", "")
        self.requests, self.troubles, self.expected, self.loaded, self.next_answer = {}, [], False, False, None
        target = browser.send("Target.createTarget", url="about:blank")["targetId"]
        self.main_request = None
        self.session = browser.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        browser.listeners.append(self.event)
        browser.send("Browser.setDownloadBehavior", behavior="allow", downloadPath=self.downloads)
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")
        # All the time, since switching it takes effect at some later moment.
        self.send("Fetch.enable", patterns=[{"urlPattern": "*/api/v1/eval"}])
        self.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "light"}])

    def send(self, method, **parameters):
        return self.browser.send(method, self.session, **parameters)

    def event(self, method, event):
        if method == "Page.loadEventFired":
            self.loaded = True
        elif method == "Runtime.consoleAPICalled" and event["type"] in ("error", "warning", "assert"):
            self.trouble("console: " + " ".join(str(a.get("value", a.get("description"))) for a in event["args"]))
        elif method == "Runtime.exceptionThrown":
            details = event["exceptionDetails"]
            self.trouble("exception: " + details.get("exception", {}).get("description", details["text"]))
        elif method == "Log.entryAdded" and event["entry"]["level"] == "error":
            self.trouble(f"log: {event['entry']['text']} {event['entry'].get('url', '')}")
        elif method == "Network.requestWillBeSent":
            url = event["request"]["url"]
            self.requests[event["requestId"]] = url
            if event.get("type") == "Document":
                self.main_request = event["requestId"]
            if not url.startswith((self.base + "/", "data:", "blob:" + self.base + "/")):
                self.trouble(f"request to the outside: {url[:200]}")
        elif method == "Network.responseReceived":
            if event["requestId"] == self.main_request:
                self.headers = {name.lower(): value for name, value in event["response"]["headers"].items()}
            if event["response"]["status"] >= 400:
                self.trouble(f"status {event['response']['status']}: {event['response']['url'][:200]}")
        elif method == "Network.loadingFailed" and not event.get("canceled"):
            self.trouble(f"failed: {self.requests.get(event['requestId'], '?')[:200]}: {event['errorText']}")
        elif method == "Fetch.requestPaused":
            self.intercept(event)

    def trouble(self, text):
        if not self.expected:
            self.troubles.append(text)

    def troubles_expected(self):
        page = self

        class Expected:
            def __enter__(self):
                page.expected = True

            def __exit__(self, *_):
                page.browser.listen(0.2)
                page.expected = False

        return Expected()

    def answer_next(self, status, headers, body):
        """Answers the next API call in the server's place; None: not at all. Returns a list that the request will be put into."""
        sent = []
        self.next_answer = (status, headers, body, sent)
        return sent

    def intercept(self, event):
        if self.next_answer is None:
            self.browser.post("Fetch.continueRequest", self.session, requestId=event["requestId"])
            return
        status, headers, body, sent = self.next_answer
        self.next_answer = None
        sent.append(event["request"])
        if status is None:
            self.browser.post("Fetch.failRequest", self.session, requestId=event["requestId"], errorReason="ConnectionRefused")
        else:
            fields = [{"name": name, "value": value} for name, value in {"Content-Type": "application/json", **headers}.items()]
            answer = base64.b64encode(body).decode()
            self.browser.post("Fetch.fulfillRequest", self.session, requestId=event["requestId"], responseCode=status, responseHeaders=fields, body=answer)

    def open(self, key=True, keep_code=False):
        if not keep_code and self.main_request:
            self.js("sessionStorage.removeItem('pyexec-draft')")
        if not key and self.main_request:
            self.js("sessionStorage.removeItem('pyexec-key')")
        self.loaded = False
        problem = self.send("Page.navigate", url=self.base + "/").get("errorText")
        if problem:
            raise Failure(f"{self.base}/ cannot be opened: {problem}")
        until(lambda: self.loaded, "the page to load", self.browser)
        if key and self.key and not self.js("sessionStorage.getItem('pyexec-key')"):
            self.click("key-toggle")
            self.insert(self.key)
            self.press("Enter")

    def document(self):
        html = self.send("Network.getResponseBody", requestId=self.main_request)["body"]
        return self.headers, html

    def js(self, expression):
        answer = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise Failure(f"{expression}: {answer['exceptionDetails'].get('exception', {}).get('description')}")
        return answer["result"].get("value")

    def text(self, identifier):
        """What the element says, without what is hidden in it."""
        return self.js(f"((e) => e.hidden ? '' : e.textContent)(document.getElementById({json.dumps(identifier)}))")

    def wait(self, expression, what, seconds=STEP_SECONDS):
        until(lambda: self.js(expression), what, self.browser, seconds)

    def finished(self, status=None, seconds=STEP_SECONDS):
        self.wait("run === null && document.getElementById('run').ariaDisabled !== 'true'", "the run to end", seconds)
        shown = self.text("status")
        ensure(status in (None, shown), f"status is {shown!r} instead of {status!r}: {self.text('notice')}\n{self.text('output')[-2000:]}")

    def press(self, key, modifiers=0, commands=()):
        event = {"key": key, "code": f"Key{key.upper()}" if len(key) == 1 else key, "modifiers": modifiers, "windowsVirtualKeyCode": KEYS[key]}
        text = {"text": "\r"} if key == "Enter" and not modifiers else {}
        self.send("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", commands=list(commands), **event, **text)
        self.send("Input.dispatchKeyEvent", type="keyUp", **event)

    def insert(self, text):
        self.send("Input.insertText", text=text)

    def type_code(self, text):
        self.js("code.focus()")
        self.press("a", CTRL, ["selectAll"])
        self.insert(text)
        ensure(self.js("code.value") == text, f"the editor has {self.js('code.value')!r}")

    def click(self, identifier):
        """With the mouse, so that what lies over the element is noticed."""
        x, y = self.js(
            f"((e) => {{ e.scrollIntoView({{ block: 'nearest' }}); const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; }})"
            f"(document.getElementById({json.dumps(identifier)}))"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def choose_files(self, identifier, paths):
        node = self.send("Runtime.evaluate", expression=f"document.getElementById({json.dumps(identifier)})")["result"]["objectId"]
        self.send("DOM.setFileInputFiles", files=[os.path.abspath(path) for path in paths], objectId=node)

    def choose_example(self, name):
        found = self.js(
            f"""((select) => {{
            const option = [...select.options].find((o) => o.textContent.startsWith({json.dumps(name)}));
            if (!option) return false;
            select.value = option.value;
            return select.dispatchEvent(new Event("change"));
            }})(document.getElementById("example"))"""
        )
        ensure(found, f"no example {name!r}")

    def overlay_matches(self):
        """The coloured copy has the same text at the same place as the text that is edited."""
        ensure(self.js("[...document.querySelectorAll('#overlay .row')].map((r) => r.textContent).join('\\n') === code.value"), "the coloured text is another")
        fonts = self.js("['overlay', 'code'].map((id) => { const s = getComputedStyle(document.getElementById(id)); return [s.font, s.letterSpacing, s.paddingTop, s.paddingLeft].join(); })")
        ensure(fonts[0] == fonts[1], f"the coloured text is set in another font: {fonts}")
        for top, left in ((99999, 99999), (0, 0)):
            self.js(f"new Promise((done) => {{ code.scrollTop = {top}; code.scrollLeft = {left}; requestAnimationFrame(() => requestAnimationFrame(done)); }})")
            off = self.js(
                """((o, c) => [o.top - c.top + code.scrollTop, o.left - c.left + code.scrollLeft])
                (document.getElementById("overlay").getBoundingClientRect(), code.getBoundingClientRect())"""
            )
            ensure(abs(off[0]) < 1 and abs(off[1]) < 1, f"the coloured text is off by {off}")
        heights = self.js("[document.getElementById('overlay').offsetHeight, code.scrollHeight, code.clientHeight]")
        ensure(abs(max(heights[0], heights[2]) - heights[1]) <= 1, f"the coloured text has another height: {heights}")

    def screenshot(self, name, whole=False):
        size = {}
        if whole:
            content = self.send("Page.getLayoutMetrics")["cssContentSize"]
            size = {"clip": {**content, "scale": 1}, "captureBeyondViewport": True}
        data = self.send("Page.captureScreenshot", format="png", **size)["data"]
        with open(os.path.join(self.out_dir, name), "wb") as file:
            file.write(base64.b64decode(data))


if __name__ == "__main__":
    sys.exit(main())
