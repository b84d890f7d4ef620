import configparser
import io

TEXT = """
[DEFAULT]
retries = 3
base = /srv/app

[server]
host = 127.0.0.1
port = 8080
debug = yes
static = %(base)s/static

[database]
url = sqlite:///app.db
retries = 5
timeout = 2.5

[cache]
"""

config = configparser.ConfigParser()
config.read_string(TEXT)

for section in config.sections():
    print(f"[{section}]")
    for key, value in config[section].items():
        print(f"  {key} = {value}")

server = config["server"]
print("port + 1:", server.getint("port") + 1, "debug:", server.getboolean("debug"))
print("timeout:", config.getfloat("database", "timeout"))
print("ttl with fallback:", config["cache"].getint("ttl", fallback=60))

try:
    config.get("server", "password")
except configparser.NoOptionError as error:
    print("Error:", error)

config.remove_section("database")
output = io.StringIO()
config.write(output)
print(output.getvalue().count("\n"), "lines written")
