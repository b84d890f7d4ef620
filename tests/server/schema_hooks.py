"""Helps schemathesis past what a document cannot say. schema.rs has it loaded."""

import io
import re
import tarfile
import uuid

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


# It would make up bytes that are no archive.
schemathesis.openapi.media_type("application/x-tar", st.sampled_from([archive(program) for program in PROGRAMS]))


@schemathesis.hook
def before_call(context, case, kwargs):
    """What is sent as a key once leads to a conflict in every other request that has it."""
    key = (case.headers or {}).get("Idempotency-Key")
    if isinstance(key, str) and re.fullmatch("[!-~]{1,255}", key):
        case.headers["Idempotency-Key"] = str(uuid.uuid4())
