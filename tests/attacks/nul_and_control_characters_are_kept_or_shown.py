#: promise = "NUL, carriage return, backspace, bell and line separators on stdout do not break the result"
#: outcome = ["completed"]
#: exit_code = 0
#: stdout_has = ["before", "after"]
print("before\0\r\b\a\v\f\x7f\x85\u2028\u2029\ufeff\ufffe\uffff", "\0" * 100)
print("\\u0000 \\ \" ' </script> ${HOME} %s {0}", "after")
