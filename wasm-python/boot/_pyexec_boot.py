"""Prepares the interpreter that is snapshotted, and adapts a copy of it to its job. Called from guest.c."""
import _pyexec
import _thread
import posix
import sys

# As on Linux for the first thread. Before threading, which logging imports, looks whether there is such a thing.
_thread.get_native_id = posix.getpid

import _pyexec_cell
import _pyexec_common
import _pyexec_session
from importlib.machinery import SourceFileLoader
from logging import _handlerList as log_handlers, shutdown as shut_logging_down

REPORT_RESULT, REPORT_RESULT_JSON, REPORT_ERROR_TYPE, REPORT_ERROR_MESSAGE, REPORT_ERROR_LINE = range(1, 6)
REPORT_MISS_FATAL, REPORT_ERROR_FRAMES = 7, 11
PROJECT = "/work"

# Imported before the snapshot, so that `import` of them costs a job nothing.
PRELOADED = """
__future__ _pydatetime _pydecimal _strptime abc annotationlib argparse array ast asyncio base64 bdb binascii bisect bz2
calendar cmath cmd code codecs codeop collections collections.abc colorsys concurrent.futures concurrent.futures.thread configparser contextlib
contextvars copy copyreg csv ctypes dataclasses datetime decimal difflib dis doctest email email.mime.text email.parser
email.policy encodings.ascii encodings.idna encodings.latin_1 encodings.utf_16 encodings.utf_32 encodings.utf_8_sig enum
errno filecmp fileinput fnmatch fractions functools gc getopt getpass gettext glob graphlib gzip hashlib heapq hmac html
html.entities html.parser http http.client http.cookies imaplib importlib importlib.metadata importlib.resources inspect
io ipaddress itertools json keyword linecache locale logging logging.handlers lzma marshal math mimetypes numbers opcode
operator optparse os pathlib pdb pickle pickletools pkgutil platform plistlib posixpath pprint profile pstats queue
quopri random re reprlib runpy sched secrets select selectors shelve shlex shutil signal smtplib socket sqlite3 stat
statistics string string.templatelib stringprep struct subprocess symtable sysconfig tarfile tempfile textwrap threading
time timeit token tokenize tomllib traceback tracemalloc types typing unicodedata unittest unittest.mock urllib.error
urllib.parse urllib.request uuid warnings wave weakref xml.dom.minidom xml.etree.ElementTree xml.sax zipfile zipimport
zlib zoneinfo
""".split()


def prepare():
    import _pyexec_import
    import _pyexec_linux

    sys.path[:] = [PROJECT, _pyexec_import.FOLDER, _pyexec_import.PACKAGES]
    _pyexec_import.install()
    _pyexec_linux.install_early()
    # As on a terminal: what is printed is seen when it is printed, and survives a stop.
    sys.stdout.reconfigure(line_buffering=True)
    for name in PRELOADED:
        __import__(name)
    _pyexec_linux.install_late()


# What jobs do, for guest.c to play before the snapshot.
REHEARSAL = b"""
import json, math, os, re, sys
from collections import Counter

class Point:
    def __init__(self, x, y):
        self.x, self.y = x, y
    def __repr__(self):
        return f"Point({self.x!r}, {self.y:.2f})"

def squares(n):
    return [i * i for i in range(n)]

try:
    raise ValueError("x")
except ValueError as error:
    print(error, file=sys.stderr)
print(Point(1, 2.5), sum(squares(10)), math.sqrt(2), os.getcwd(), *sys.argv)
print(json.loads(json.dumps({"a": [1, 2.5, None, True, "x"]})))
print(re.compile(r"(\\w+)\\s*=\\s*(\\d+)").findall("a = 1"), Counter("abca"))
"""


def freeze():
    """Makes what there is part of every copy for good."""
    import atexit
    import gc
    import linecache
    import logging
    import random
    import re
    import _pyexec_linux

    # It would write to a good many pages in every job, for those few that log: guest.c calls it for these.
    atexit.unregister(logging.shutdown)
    re.purge()
    linecache.clearcache()
    sys.path_importer_cache.pop(PROJECT, None)
    sys.modules.pop("__main__", None)
    gc.collect()
    _pyexec_linux.begin_anew()
    objects = gc.get_objects()
    for generator in objects:
        if isinstance(generator, random.Random) and not isinstance(generator, random.SystemRandom):
            _pyexec.seed_later(generator)
    gc.freeze()
    _pyexec.immortalize(objects)


def adapt(env, shadowed, folder):
    """Called only when the job has environment variables, a script in a subfolder, or files named like modules of ours."""
    if env:
        import os

        for name, value in zip(env[::2], env[1::2]):
            os.environ[name] = value
        if "TZ" in os.environ:
            import time

            time.tzset()
    if folder != PROJECT:
        sys.path[0] = folder
    for name in shadowed:
        for loaded in [loaded for loaded in sys.modules if loaded == name or loaded.startswith(name + ".")]:
            del sys.modules[loaded]


def describe(value, called):
    """Reports the value; as with the interactive prompt, None is no result unless a function returned it."""
    if value is None and not called:
        return
    _pyexec.report(REPORT_RESULT, _printable(repr(value)))
    text = _pyexec_common.as_json(value)
    if text is not None:
        _pyexec.report(REPORT_RESULT_JSON, text)


def uncaught(error, path):
    """Reports an exception that ends the job."""
    import _pyexec_linux

    _pyexec_cell.hide_frames(error, path)
    _pyexec.report(REPORT_ERROR_TYPE, _printable(type(error).__name__))
    line = None
    frame = error.__traceback__
    while frame is not None and line is None:
        if frame.tb_frame.f_code.co_filename == path:
            line = frame.tb_lineno
        frame = frame.tb_next
    if line is None and isinstance(error, SyntaxError) and error.filename == path:
        line = error.lineno
    if line is not None:
        _pyexec.report(REPORT_ERROR_LINE, str(line))
    _pyexec.report(REPORT_ERROR_FRAMES, _printable(_pyexec_cell.frames_of_project(error, PROJECT + "/")))
    if _pyexec_linux.caused_by_miss(error):
        _pyexec.report(REPORT_MISS_FATAL, "")
    try:
        message = _printable(str(error))
    except Exception:
        message = "<exception str() failed>"
    _pyexec.report(REPORT_ERROR_MESSAGE, message)


def _printable(text):
    return text.encode("utf-8", "backslashreplace").decode()
