"""The system log where nobody listens: messages are dropped, as without a daemon."""
LOG_EMERG, LOG_ALERT, LOG_CRIT, LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO, LOG_DEBUG = range(8)
(LOG_KERN, LOG_USER, LOG_MAIL, LOG_DAEMON, LOG_AUTH, LOG_SYSLOG, LOG_LPR, LOG_NEWS, LOG_UUCP, LOG_CRON, LOG_AUTHPRIV,
 LOG_FTP) = range(0, 96, 8)
LOG_LOCAL0, LOG_LOCAL1, LOG_LOCAL2, LOG_LOCAL3, LOG_LOCAL4, LOG_LOCAL5, LOG_LOCAL6, LOG_LOCAL7 = range(128, 192, 8)
LOG_PID, LOG_CONS, LOG_ODELAY, LOG_NDELAY, LOG_NOWAIT, LOG_PERROR = 1, 2, 4, 8, 16, 32

_mask, _options, _name = 0xFF, 0, None


def openlog(ident=None, logoption=0, facility=LOG_USER):
    global _options, _name
    _options, _name = logoption, ident


def syslog(*arguments):
    import os
    import sys

    priority, message = arguments if len(arguments) == 2 else (LOG_INFO, *arguments)
    if not isinstance(message, str):
        raise TypeError("[priority,] message string")
    if _options & LOG_PERROR and _mask >> (priority & 7) & 1:
        name = _name or os.path.basename(sys.argv[0])
        print(f"{name}[{os.getpid()}]: {message}" if _options & LOG_PID else f"{name}: {message}", file=sys.stderr)


def closelog():
    openlog()


def setlogmask(maskpri, /):
    global _mask
    before, _mask = _mask, maskpri or _mask
    return before


def LOG_MASK(pri, /):
    return 1 << pri


def LOG_UPTO(pri, /):
    return (2 << pri) - 1
