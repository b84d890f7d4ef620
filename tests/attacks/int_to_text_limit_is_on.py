#: promise = "Python's own limit on integer to text conversion is at its default"
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import sys

assert sys.get_int_max_str_digits() == 4300, sys.get_int_max_str_digits()
for convert in (lambda: str(10**5000), lambda: int("9" * 5000)):
    try:
        convert()
    except ValueError as error:
        assert "4300" in str(error), error
    else:
        raise AssertionError("a conversion of 5000 digits was allowed")
print("ok")
