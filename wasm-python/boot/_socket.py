"""The socket module's C half where there is no network: constants, and calls that fail as on a machine without one."""
import _pyexec_constants
import _pyexec_identity
import _pyexec_linux

AF_UNSPEC, AF_UNIX, AF_INET, AF_INET6 = 0, 1, 2, 10
SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_RDM, SOCK_SEQPACKET = 1, 2, 3, 4, 5
SOCK_NONBLOCK, SOCK_CLOEXEC = 2048, 524288
SOL_SOCKET, SOL_IP, SOL_TCP, SOL_UDP = 1, 0, 6, 17
SO_DEBUG, SO_REUSEADDR, SO_TYPE, SO_ERROR, SO_DONTROUTE, SO_BROADCAST = 1, 2, 3, 4, 5, 6
SO_SNDBUF, SO_RCVBUF, SO_KEEPALIVE, SO_OOBINLINE, SO_LINGER, SO_REUSEPORT = 7, 8, 9, 10, 13, 15
SO_RCVTIMEO, SO_SNDTIMEO, SO_ACCEPTCONN, SO_BINDTODEVICE = 20, 21, 30, 25
SOMAXCONN = 4096
MSG_OOB, MSG_PEEK, MSG_DONTROUTE, MSG_TRUNC, MSG_DONTWAIT, MSG_WAITALL, MSG_NOSIGNAL = 1, 2, 4, 32, 64, 256, 16384
SHUT_RD, SHUT_WR, SHUT_RDWR = 0, 1, 2
IPPROTO_IP, IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_IPV6, IPPROTO_RAW = 0, 1, 6, 17, 41, 255
TCP_NODELAY, TCP_MAXSEG, TCP_CORK, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT, TCP_USER_TIMEOUT = 1, 2, 3, 4, 5, 6, 18
IPV6_V6ONLY, IPV6_UNICAST_HOPS, IPV6_JOIN_GROUP = 26, 16, 20
IP_TOS, IP_TTL, IP_MULTICAST_IF, IP_MULTICAST_TTL, IP_MULTICAST_LOOP, IP_ADD_MEMBERSHIP = 1, 2, 32, 33, 34, 35
INADDR_ANY, INADDR_BROADCAST, INADDR_LOOPBACK, INADDR_NONE = 0, 0xFFFFFFFF, 0x7F000001, 0xFFFFFFFF
AI_PASSIVE, AI_CANONNAME, AI_NUMERICHOST, AI_V4MAPPED, AI_ALL, AI_ADDRCONFIG, AI_NUMERICSERV = 1, 2, 4, 8, 16, 32, 1024
EAI_BADFLAGS, EAI_NONAME, EAI_AGAIN, EAI_FAIL, EAI_FAMILY, EAI_SOCKTYPE = -1, -2, -3, -4, -6, -7
EAI_SERVICE, EAI_MEMORY, EAI_SYSTEM, EAI_OVERFLOW, EAI_ADDRFAMILY, EAI_NODATA = -8, -10, -11, -12, -9, -5
NI_NUMERICHOST, NI_NUMERICSERV, NI_NOFQDN, NI_NAMEREQD, NI_DGRAM = 1, 2, 4, 8, 16
NI_MAXHOST, NI_MAXSERV = 1025, 32
_pyexec_constants.install("_socket")
has_ipv6 = True
CAPI = None

error = OSError
timeout = TimeoutError


class herror(OSError):
    __module__ = "socket"


class gaierror(OSError):
    __module__ = "socket"


_default_timeout = None


def _refused(what):
    return _pyexec_linux.miss("socket", what, PermissionError(1, "Operation not permitted"))


class socket:
    """Base class of socket.socket; cannot be made."""

    __slots__ = ()

    def __init__(self, family=-1, type=-1, proto=-1, fileno=None):
        raise _refused("socket()")

    # Half-made objects are closed by __del__ and __exit__ of the class above.
    def close(self):
        pass

    def fileno(self):
        return -1

    family, type, proto, timeout = AF_INET, SOCK_STREAM, 0, None


for _name in """accept bind connect connect_ex detach getpeername getsockname getsockopt gettimeout listen recv recv_into
        recvfrom recvfrom_into recvmsg recvmsg_into send sendall sendto sendmsg setblocking getblocking setsockopt
        settimeout shutdown""".split():
    def _method(self, *args, _name=_name, **kwargs):
        raise _refused(f"socket.{_name}()")
    _method.__name__ = _name
    setattr(socket, _name, _method)

SocketType = socket


def _no_resolver(host):
    return _pyexec_linux.miss("network", f"look-up of {host!r}",
                              gaierror(EAI_AGAIN, "Temporary failure in name resolution"))


def getaddrinfo(host, port, family=0, type=0, proto=0, flags=0):
    text = host.decode() if isinstance(host, bytes) else host
    number = int(port) if port is not None and str(port).isdigit() else 0
    if text is None:
        text = "0.0.0.0" if flags & AI_PASSIVE else "127.0.0.1"
    if text in _OURS:
        text = "127.0.0.1"
    kinds = [(SOCK_STREAM, IPPROTO_TCP), (SOCK_DGRAM, IPPROTO_UDP), (SOCK_RAW, IPPROTO_IP)]
    kinds = [kind for kind in kinds if type in (0, kind[0])]
    for version, size in ((AF_INET, 4), (AF_INET6, 16)):
        try:
            inet_pton(version, text)
        except OSError:
            continue
        address = (text, number) if version == AF_INET else (text, number, 0, 0)
        if family in (AF_UNSPEC, version):
            return [(version, kind, protocol, "", address) for kind, protocol in kinds]
    raise _no_resolver(text)


_OURS = {"localhost", _pyexec_identity.HOST_NAME}


def getnameinfo(address, flags):
    host, port = address[0], address[1]
    if not flags & NI_NUMERICHOST:
        if host not in ("127.0.0.1", "::1"):
            raise _no_resolver(host)
        host = "localhost"
    service = None if flags & NI_NUMERICSERV else next((name for name, known in _SERVICES.items() if known == port), None)
    return host, service or str(port)


def gethostbyname(name):
    return getaddrinfo(name, None, AF_INET)[0][4][0]


def gethostbyname_ex(name):
    return name, [], [gethostbyname(name)]


def gethostbyaddr(name):
    if name in _OURS:
        return name, [], ["127.0.0.1"]
    if name in ("127.0.0.1", "::1"):
        return "localhost", [], [name]
    raise _no_resolver(name)


def gethostname():
    return _pyexec_identity.HOST_NAME


def sethostname(name):
    raise PermissionError(1, "Operation not permitted")


_SERVICES = {"ftp": 21, "ssh": 22, "telnet": 23, "smtp": 25, "domain": 53, "http": 80, "pop3": 110, "ntp": 123,
             "imap2": 143, "https": 443, "imaps": 993, "pop3s": 995}


def getservbyname(name, protocol=None):
    try:
        return _SERVICES["imap2" if name == "imap" else name]
    except KeyError:
        raise OSError("service/proto not found") from None


def getservbyport(port, protocol=None):
    name = next((name for name, known in _SERVICES.items() if known == port), None)
    if name is None:
        raise OSError("port/proto not found")
    return name


def getprotobyname(name):
    try:
        return {"ip": 0, "icmp": 1, "tcp": 6, "udp": 17, "ipv6": 41}[name]
    except KeyError:
        raise OSError("protocol not found") from None


def getdefaulttimeout():
    return _default_timeout


def setdefaulttimeout(seconds):
    global _default_timeout
    if seconds is not None and seconds < 0:
        raise ValueError("Timeout value out of range")
    _default_timeout = None if seconds is None else float(seconds)


def socketpair(*args):
    raise _refused("socketpair()")


def dup(fd):
    raise _refused("dup()")


def close(fd):
    import os

    os.close(fd)


def if_nameindex():
    return [(1, "lo")]


def if_nametoindex(name):
    if name == "lo":
        return 1
    raise OSError(19, "No such device")


def if_indextoname(index):
    if index == 1:
        return "lo"
    raise OSError(6, "No such device or address")


def CMSG_LEN(length):
    return 12 + length


def CMSG_SPACE(length):
    return 12 + (length + 3) // 4 * 4


def _swapped(value, size):
    if not 0 <= value < 1 << 8 * size:
        raise OverflowError(f"Python int too large to convert to C uint{8 * size}_t")
    return int.from_bytes(value.to_bytes(size, "little"), "big")


def htons(value):
    return _swapped(value, 2)


def htonl(value):
    return _swapped(value, 4)


ntohs, ntohl = htons, htonl


def inet_aton(text):
    parts = text.split(".")
    try:
        numbers = [int(part, 16 if part.lower().startswith("0x") else 8 if part.startswith("0") and part != "0" else 10)
                   for part in parts]
        last = numbers.pop().to_bytes(4 - len(numbers), "big")
        return bytes(numbers) + last
    except (ValueError, OverflowError):
        raise OSError("illegal IP address string passed to inet_aton") from None


def inet_ntoa(packed):
    if len(packed) != 4:
        raise OSError("packed IP wrong length")
    return ".".join(map(str, packed))


def inet_pton(family, text):
    import ipaddress

    try:
        if family == AF_INET:
            return ipaddress.IPv4Address(text).packed
        if family == AF_INET6:
            return ipaddress.IPv6Address(text).packed
    except ValueError:
        raise OSError("illegal IP address string passed to inet_pton") from None
    raise OSError(97, "Address family not supported by protocol")


def inet_ntop(family, packed):
    import ipaddress

    size, kind = {AF_INET: (4, ipaddress.IPv4Address), AF_INET6: (16, ipaddress.IPv6Address)}.get(family, (0, None))
    if kind is None:
        raise ValueError(f"unknown address family {family}")
    if len(packed) != size:
        raise ValueError("invalid length of packed IP address string")
    return str(kind(bytes(packed)))
