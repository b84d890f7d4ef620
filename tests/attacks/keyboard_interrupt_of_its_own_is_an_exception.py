#: promise = "A job that raises KeyboardInterrupt or SystemError itself is reported, not mistaken for a cancelled one"
#: outcome = ["completed"]
#: stdout = "caught SystemError\n"
#: stderr_has = ["KeyboardInterrupt"]
try:
    raise SystemError("looks like a fault of the interpreter")
except SystemError:
    print("caught SystemError")
raise KeyboardInterrupt
