#: promise = "Modules that are not there raise ModuleNotFoundError with their name"
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import importlib

for name in ("numpy_that_is_not_there", "winreg", "_winapi", "msvcrt", "nt", "_posixshmem_missing", "os.missing", "a" * 10_000, "é", "x.y.z"):
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        assert error.name and name.startswith(error.name), error
        continue
    raise AssertionError(f"{name} was imported")
print("ok")
