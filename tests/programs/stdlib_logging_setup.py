import io
import logging
import logging.config
import logging.handlers
import sys

logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(levelname)-8s %(name)s:%(funcName)s:%(lineno)d %(message)s")
log = logging.getLogger("app.core")


def work():
    log.debug("invisible")
    log.info("started %s with %d items", "job", 3)
    try:
        {}["missing"]
    except KeyError:
        log.error("lookup failed", exc_info=False)
    log.warning("extra %(a)s-%(b)s", {"a": 1, "b": 2})


work()
mem = io.StringIO()
h = logging.StreamHandler(mem)
h.setFormatter(logging.Formatter("{levelname:>5}|{message}|{user}", style="{", defaults={"user": "nobody"}))
h.addFilter(lambda record: "secret" not in record.getMessage())
child = logging.getLogger("app.core.child")
child.propagate = False
child.addHandler(h)
child.setLevel("DEBUG")
child.debug("hello", extra={"user": "ann"})
child.critical("the secret")
child.log(35, "custom level")
logging.addLevelName(35, "NOTICE")
child.log(35, "named level")
print(mem.getvalue(), end="")
print(child.getEffectiveLevel(), log.isEnabledFor(10), log.parent.name, child.handlers[0] is h)

logging.config.dictConfig({
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"f": {"format": "[%(name)s] %(message)s"}},
    "handlers": {"file": {"class": "logging.FileHandler", "filename": "app.log", "formatter": "f", "encoding": "utf-8"}},
    "loggers": {"filelog": {"handlers": ["file"], "level": "INFO", "propagate": False}},
})
logging.getLogger("filelog").info("to file ✓")
logging.getLogger("filelog").debug("dropped")
logging.shutdown()
print(open("app.log", encoding="utf-8").read(), end="")
rot = logging.handlers.RotatingFileHandler("rot.log", maxBytes=60, backupCount=2)
rl = logging.getLogger("rot")
rl.propagate = False
rl.addHandler(rot)
for i in range(6):
    rl.warning("message number %d padding", i)
rot.close()
print([(n, open(n).read().split()[2]) for n in ("rot.log", "rot.log.1", "rot.log.2")])
mh = logging.handlers.MemoryHandler(10, target=logging.StreamHandler(sys.stdout))
rl.handlers = [mh]
rl.warning("buffered")
print("before flush")
mh.flush()
logging.raiseExceptions = False
print(logging.getLevelName(30), logging.getLevelNamesMapping()["ERROR"], logging.LoggerAdapter(log, {"k": 1}).extra)
