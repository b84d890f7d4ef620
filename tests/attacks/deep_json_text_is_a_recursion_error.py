#: promise = "JSON nested a hundred thousand deep raises RecursionError or ends in a named limit"
#: wall_clock_ms = 20000
#: outcome = ["completed", "stack_overflow"]
#: exit_code = 0
#: stdout = "ok\n"
import json

for text in ("[" * 10**5, '{"a":' * 10**5, "[" * 10**5 + "]" * 10**5, '[{"a":' * 10**5):
    try:
        json.loads(text)
    except (RecursionError, json.JSONDecodeError):
        continue
    raise AssertionError("the text was accepted")
print("ok")
