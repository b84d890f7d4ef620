#: promise = "Endless recursion raises RecursionError, and Python works afterwards"
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
def down():
    return down()


for _ in range(20):
    try:
        down()
    except RecursionError as error:
        assert "maximum recursion depth exceeded" in str(error), error
print("ok")
