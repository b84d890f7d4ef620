"""syslog where nothing listens: calls succeed, and LOG_PERROR writes to stderr."""
import syslog

print({name: getattr(syslog, name) for name in dir(syslog) if name.startswith("LOG_") and isinstance(getattr(syslog, name), int)})
for arguments in ((), (1,), ("x",), (syslog.LOG_ERR, "x"), (1, 2), ("a", "b"), (None,)):
    try:
        print(arguments, syslog.syslog(*arguments))
    except TypeError as error:
        print(arguments, error)
print(syslog.setlogmask(0), syslog.setlogmask(syslog.LOG_UPTO(syslog.LOG_WARNING)), syslog.setlogmask(0), syslog.LOG_MASK(3))
syslog.openlog("tool", syslog.LOG_PERROR, syslog.LOG_LOCAL3)
syslog.syslog(syslog.LOG_ERR, "seen")
syslog.syslog(syslog.LOG_INFO, "not seen")
syslog.closelog()
print(syslog.setlogmask(255))
syslog.openlog(logoption=syslog.LOG_PERROR)
syslog.syslog("the last line")
