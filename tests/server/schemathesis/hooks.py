"""Gives schemathesis archives to upload: it would send bytes that are none, and never see an execution."""

import io
import tarfile

import schemathesis
from hypothesis import strategies as st

PROGRAMS = ["print(input())", "open('made.txt', 'w').write('made')", "1 / 0", "while True: pass", ""]


def archive(program):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        member = tarfile.TarInfo("main.py")
        member.size = len(program)
        tar.addfile(member, io.BytesIO(program.encode()))
    return buffer.getvalue()


schemathesis.openapi.media_type("application/x-tar", st.sampled_from([archive(program) for program in PROGRAMS]))
