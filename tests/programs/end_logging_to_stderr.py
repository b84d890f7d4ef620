import logging

log = logging.getLogger("app")
log.warning("unconfigured warning goes to stderr through lastResort")
log.info("invisible")
handler = logging.StreamHandler()
handler.setFormatter(logging.Formatter("%(levelname)s:%(name)s:%(message)s"))
log.addHandler(handler)
log.setLevel(logging.DEBUG)
log.debug("debug message")
print("handlers", len(log.handlers), log.hasHandlers())
try:
    {}["missing"]
except KeyError:
    log.exception("failed lookup")
log.error("bad format %d", 5)
log.critical("last line on stderr é")
print("done")
