# Constants that programs look for, combine and print.
import fcntl
import os
import resource
import select
import signal
import socket
import termios
import time

for module, names in {
    os: "O_RDONLY O_WRONLY O_RDWR O_CREAT O_EXCL O_TRUNC O_APPEND O_NONBLOCK O_SYNC O_DIRECTORY O_NOFOLLOW O_CLOEXEC O_PATH "
        "O_TMPFILE O_DIRECT SEEK_SET SEEK_DATA SEEK_HOLE F_OK X_OK WNOHANG WCONTINUED P_ALL P_PID PRIO_PGRP RTLD_NOW RTLD_LOCAL "
        "SCHED_RR SCHED_BATCH CLONE_NEWUSER GRND_NONBLOCK MFD_CLOEXEC EFD_NONBLOCK ST_RDONLY XATTR_CREATE EX_USAGE NGROUPS_MAX",
    socket: "AF_UNIX AF_INET6 AF_PACKET AF_NETLINK AF_DECnet SOCK_RAW SOL_SOCKET SO_REUSEPORT SO_KEEPALIVE SO_PRIORITY "
            "IPPROTO_ICMPV6 IPPROTO_SCTP IP_PKTINFO IPV6_TCLASS TCP_FASTOPEN TCP_QUICKACK MSG_MORE INADDR_ALLHOSTS_GROUP",
    select: "EPOLLIN EPOLLET EPOLLONESHOT PIPE_BUF",
    fcntl: "F_GETFL F_OFD_SETLK F_SETPIPE_SZ F_GETLK LOCK_EX FD_CLOEXEC",
    termios: "B9600 TIOCGWINSZ TIOCSWINSZ TCIFLUSH VMIN ECHO IXON CS8",
    resource: "RLIMIT_AS RLIMIT_NICE RLIMIT_SIGPENDING RLIM_INFINITY RUSAGE_SELF",
    time: "CLOCK_REALTIME CLOCK_MONOTONIC CLOCK_BOOTTIME CLOCK_PROCESS_CPUTIME_ID",
    signal: "SIGRTMAX SIGCLD ITIMER_PROF SIG_SETMASK",
}.items():
    print(module.__name__, {name: int(getattr(module, name)) for name in names.split()})

# They work, too, and so do their numbers.
descriptor = os.open("file", 0o102, 0o640)
os.write(descriptor, b"one")
os.close(descriptor)
descriptor = os.open("file", os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
os.write(descriptor, b" two")
os.close(descriptor)
with open("file") as file:
    print(file.read(), oct(os.stat("file").st_mode & 0o777))
for flags in (os.O_CREAT | os.O_EXCL | os.O_WRONLY, os.O_RDONLY | os.O_DIRECTORY, os.O_WRONLY | os.O_TRUNC):
    try:
        os.close(os.open("file", flags))
        print(os.path.getsize("file"))
    except OSError as error:
        print(type(error).__name__, error)
with open("other", "x", opener=lambda path, flags: os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)) as file:
    print(file.write("written"))
os.symlink("other", "link")
try:
    os.open("link", os.O_RDONLY | os.O_NOFOLLOW)
except OSError as error:
    print(error)
print(abs(time.clock_gettime(time.CLOCK_REALTIME) - time.time()) < 5, time.clock_gettime(time.CLOCK_PROCESS_CPUTIME_ID) >= 0)
print(time.monotonic_ns() - time.clock_gettime_ns(time.CLOCK_MONOTONIC) < 10**9, time.clock_getres(time.CLOCK_MONOTONIC))
try:
    time.clock_gettime(99)
except OSError as error:
    print(error)
print(os.sched_param(3).sched_priority, os.sched_get_priority_max(os.SCHED_FIFO), os.sched_get_priority_min(os.SCHED_OTHER))
