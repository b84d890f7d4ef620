#: promise = "A job that dies of recursion exits with 1 and a traceback that names the line"
#: outcome = ["completed"]
#: exit_code = 1
#: stdout = "before\n"
#: stderr_has = ["RecursionError", "return down()"]
def down():
    return down()


print("before")
down()
