#: promise = "Printing half of a character raises UnicodeEncodeError, and stdout works afterwards"
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
for text in ("\ud800", "\udfff", "a" * 100_000 + "\ud83d"):
    try:
        print(text)
    except UnicodeEncodeError:
        continue
    raise AssertionError(f"{text[-1]!r} was printed")
print("ok")
