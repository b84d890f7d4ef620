"""A system log that nobody listens to, as in a container: messages go nowhere, but to stderr where that is asked for."""
import os as _os
import sys as _sys

LOG_EMERG, LOG_ALERT, LOG_CRIT, LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO, LOG_DEBUG = range(8)
(LOG_KERN, LOG_USER, LOG_MAIL, LOG_DAEMON, LOG_AUTH, LOG_SYSLOG, LOG_LPR, LOG_NEWS, LOG_UUCP, LOG_CRON, LOG_AUTHPRIV,
 LOG_FTP) = range(0, 96, 8)
(LOG_LOCAL0, LOG_LOCAL1, LOG_LOCAL2, LOG_LOCAL3, LOG_LOCAL4, LOG_LOCAL5, LOG_LOCAL6,
 LOG_LOCAL7) = range(128, 192, 8)
LOG_PID, LOG_CONS, LOG_ODELAY, LOG_NDELAY, LOG_NOWAIT, LOG_PERROR = 1, 2, 4, 8, 16, 32

_mask = 255
_opened = None  # ident and option


def _checked(function, argument, text):
    if not isinstance(text, str):
        kind = "None" if text is None else type(text).__name__
        raise TypeError(f"{function}() argument {argument} must be str, not {kind}")
    return text


def _default_ident():
    return (_sys.argv[0] if _sys.argv else "").rpartition("/")[2]


def openlog(ident=None, logoption=0, facility=LOG_USER):
    global _opened
    name = _default_ident() if ident is None else _checked("openlog", "'ident'", ident)
    _opened = name, logoption.__index__()
    facility.__index__()


def syslog(*arguments):
    if not 1 <= len(arguments) <= 2:
        raise TypeError("syslog.syslog requires 1 to 2 arguments")
    priority = arguments[0].__index__() if len(arguments) == 2 and hasattr(arguments[0], "__index__") else LOG_INFO
    if len(arguments) == 2 and not hasattr(arguments[0], "__index__"):
        raise TypeError(f"'{type(arguments[0]).__name__}' object cannot be interpreted as an integer")
    message = _checked("syslog", len(arguments), arguments[-1])
    if _opened is None:
        openlog()
    ident, option = _opened
    if option & LOG_PERROR and _mask & LOG_MASK(priority & 7):
        process = f"[{_os.getpid()}]" if option & LOG_PID else ""
        _os.write(2, f"{ident}{process}: {message.removesuffix('\n')}\n".encode("utf-8", "surrogateescape"))


def closelog():
    global _opened
    _opened = None


def setlogmask(maskpri, /):
    global _mask
    before, _mask = _mask, maskpri.__index__() or _mask
    return before


def LOG_MASK(pri, /):
    return 1 << pri


def LOG_UPTO(pri, /):
    return (1 << (pri + 1)) - 1
