import os
import sys
import zipfile
import zipimport

with zipfile.ZipFile("lib.zip", "w", zipfile.ZIP_DEFLATED) as z:
    z.writestr("solo.py", '"""solo doc"""\nVALUE = 7\ndef fail():\n    raise ValueError("from zip")\n')
    z.writestr("pack/__init__.py", "from .inner import thing\n")
    z.writestr("pack/inner.py", "thing = ['inner', __name__]\n")
    z.writestr("pack/data.txt", "resource data")
    z.writestr("bad.py", "def x(:\n")

imp = zipimport.zipimporter("lib.zip")
print(imp.archive, imp.is_package("pack"), imp.is_package("solo"))
print(imp.get_source("solo").splitlines()[0], imp.get_data("pack/data.txt"), imp.get_filename("pack").replace(os.sep, "/"))
print(imp.find_spec("solo").name, imp.find_spec("missing"))
ns = {}
exec(imp.get_code("solo"), ns)
print(ns["VALUE"], ns["__doc__"])
sys.path.insert(0, "lib.zip")
import solo
import pack
print(solo.VALUE, pack.thing, solo.__file__.replace(os.sep, "/").endswith("lib.zip/solo.py"))
import traceback
try:
    solo.fail()
except ValueError as e:
    tb = traceback.extract_tb(e.__traceback__)[-1]
    print(tb.name, tb.lineno, tb.line)
try:
    import bad
except SyntaxError as e:
    print("SyntaxError:", e.msg, e.lineno)
for fn in (lambda: imp.get_source("nope"), lambda: zipimport.zipimporter("absent.zip"), lambda: imp.get_data("pack/none")):
    try:
        fn()
    except (zipimport.ZipImportError, OSError) as e:
        print(type(e).__name__, e)
