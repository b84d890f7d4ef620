"""Compiles the files that standard input names, and writes what comes of each: its length, and the code."""
import gc
import marshal
import sys
import warnings

warnings.simplefilter("ignore")
# Syntax trees are many objects and no garbage.
gc.disable()
with open("code", "wb") as output:
    for path in filter(None, sys.stdin.read().split("\n")):
        try:
            with open(path, "rb") as file:
                source = file.read()
            code = marshal.dumps(compile(source, path, "exec", dont_inherit=True))
        except Exception:
            # No Python, or more than the interpreter can take.
            code = b""
        output.write(len(code).to_bytes(4, "little") + code)
        # What is there stays, should the next one end the interpreter.
        output.flush()
