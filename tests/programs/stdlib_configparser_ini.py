import configparser
import io

INI = """\
; global comment
[DEFAULT]
home = /srv
debug = no
timeout = 30

[web]
root = %(home)s/www
port: 8080
debug = yes
ratio = 0.75
hosts =
    alpha
    beta
    # inline comment line
    gamma

[db]
dsn = postgres://%(user)s@localhost
user = admin
empty =
flag
"""
cp = configparser.ConfigParser(allow_no_value=True)
cp.read_string(INI)
print(cp.sections(), cp.defaults())
web = cp["web"]
print(web["root"], web.getint("port"), web.getboolean("debug"), web.getfloat("ratio"), web.get("nope", "fallback"))
print(repr(web["hosts"]), web["hosts"].split())
print(cp["db"]["dsn"], repr(cp["db"]["empty"]), cp["db"]["flag"], "timeout" in cp["db"])
print(cp.options("db"), cp.items("web", raw=True)[:2])

cp["new"] = {"Alpha": "1", "beta": "two words"}
cp.set("web", "port", "9090")
cp.remove_option("web", "hosts")
cp.remove_section("db")
buf = io.StringIO()
cp.write(buf)
print(buf.getvalue())
ext = configparser.ConfigParser(interpolation=configparser.ExtendedInterpolation())
ext.read_dict({"paths": {"base": "/opt"}, "app": {"dir": "${paths:base}/app", "log": "${dir}/log"}})
print(ext["app"]["log"])
checks = [
    lambda: cp.get("nosuch", "x"),
    lambda: cp.get("web", "x"),
    lambda: cp.getint("new", "beta"),
    lambda: configparser.ConfigParser().read_string("[a]\nx=1\n[a]\n"),
    lambda: configparser.ConfigParser().read_string("x = 1\n"),
]
for check in checks:
    try:
        check()
    except (configparser.Error, ValueError) as e:
        print(type(e).__name__, str(e).splitlines()[0])
