"""Walls off the network of the container whose network namespace this runs in: nothing in there reaches the Docker host,
its neighbours on the bridge, a cloud's metadata, private networks but those that are given as arguments, or anything by
IPv6. Packets are filtered, and not merely routed away, since a socket bound to a device ignores the routes. Needs
CAP_NET_ADMIN, and the host's process 1 to read its addresses."""

import ipaddress
import os
import socket
import struct
import sys

# Link-local with the metadata of most clouds, the one cloud that has it elsewhere, and all that no single machine has.
ALWAYS = ["169.254.0.0/16", "100.100.100.200/32", "224.0.0.0/4", "240.0.0.0/4"]
# Networks of one site or provider. A cloud has metadata and its name server at the last one.
PRIVATE = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "192.0.0.0/24", "168.63.129.16/32"]

# The daemon looks names up from a socket of its own in this namespace. Jobs have other users than root; where a daemon
# remaps users, its own is nobody in here.
DAEMON_USERS = [0, 65534]
NAME_SERVICE = 53

NETFILTER = 12
REQUEST, ACK, CREATE, APPEND = 0x1, 0x4, 0x400, 0x800
BATCH_BEGIN, BATCH_END = 0x10, 0x11
NFTABLES = 10
NEW_TABLE, NEW_CHAIN, NEW_RULE = 0, 3, 6
INET = 1
LOCAL_OUT = 3
META_OIF, META_USER, META_FAMILY, META_PROTOCOL = 5, 10, 15, 16
NETWORK_HEADER, TRANSPORT_HEADER = 1, 2
LOOPBACK = 1
VERDICT, REGISTER = 0, 1


def local_addresses(path):
    """The IPv4 addresses that a network namespace has itself, but for loopback."""
    found, last = set(), None
    with open(path) as trie:
        for line in trie:
            words = line.split()
            if words[0] == "|--":
                last = words[1]
            elif words[0] == "/32" and words[-1] == "LOCAL":
                found.add(ipaddress.ip_network(last + "/32"))
    return {network for network in found if not network.is_loopback}


def connected():
    """The networks that are reached without a gateway."""
    with open("/proc/self/net/route") as routes:
        next(routes)
        for line in routes:
            _, destination, gateway, _, _, _, _, mask = line.split()[:8]
            if int(gateway, 16) == 0 and int(mask, 16) != 0:
                address, mask = (socket.inet_ntoa(struct.pack("=L", int(word, 16))) for word in (destination, mask))
                yield ipaddress.ip_network("%s/%s" % (address, mask))


def attribute(kind, value):
    return struct.pack("=HH", 4 + len(value), kind) + value + b"\0" * (-len(value) % 4)


def number(kind, value):
    return attribute(kind, struct.pack("!L", value))


def text(kind, value):
    return attribute(kind, value.encode() + b"\0")


def nested(kind, *values):
    return attribute(kind | 0x8000, b"".join(values))


def expression(name, *values):
    return nested(1, text(1, name), nested(2, *values))


def equal(value):
    return expression("cmp", number(1, REGISTER), number(2, 0), nested(3, attribute(1, value)))


def meta(key, value):
    return [expression("meta", number(1, REGISTER), number(2, key)), equal(value)]


def payload(header, offset, length):
    return expression("payload", number(1, REGISTER), number(2, header), number(3, offset), number(4, length))


def destination(network):
    mask = expression(
        "bitwise", number(1, REGISTER), number(2, REGISTER), number(3, 4),
        nested(4, attribute(1, network.netmask.packed)), nested(5, attribute(1, bytes(4))),
    )
    at = payload(NETWORK_HEADER, 16, 4)
    return [*meta(META_FAMILY, bytes([socket.AF_INET])), at, mask, equal(network.network_address.packed)]


def name_service(user, protocol):
    return [
        *meta(META_USER, struct.pack("=L", user)), *meta(META_PROTOCOL, bytes([protocol])),
        payload(TRANSPORT_HEADER, 2, 2), equal(struct.pack("!H", NAME_SERVICE)),
    ]


ACCEPT = expression("immediate", number(1, VERDICT), nested(2, nested(2, number(1, 1))))
# With an answer, so that nobody waits: administratively prohibited.
REJECT = expression("reject", number(1, 2), attribute(2, b"\x03"))


def rules(near, allowed):
    """From the first that fits; what none fits is let through."""
    yield [*meta(META_OIF, struct.pack("=L", LOOPBACK)), ACCEPT]
    yield [*meta(META_FAMILY, bytes([socket.AF_INET6])), REJECT]
    for network in sorted(near):
        yield [*destination(network), REJECT]
    for user in DAEMON_USERS:
        for protocol in (socket.IPPROTO_UDP, socket.IPPROTO_TCP):
            yield [*name_service(user, protocol), ACCEPT]
    for network in ALWAYS:
        yield [*destination(ipaddress.ip_network(network)), REJECT]
    for network in allowed:
        yield [*destination(network), ACCEPT]
    for network in PRIVATE:
        yield [*destination(ipaddress.ip_network(network)), REJECT]


def message(kind, flags, sequence, family, resource, body=b""):
    body = struct.pack("!BBH", family, 0, resource) + body
    return struct.pack("=LHHLL", 16 + len(body), kind, REQUEST | flags, sequence, 0) + body


def install(near, allowed):
    table = text(1, "pyexec")
    bodies = [(NEW_TABLE, text(1, "pyexec")), (NEW_CHAIN, b"".join([
        table, text(3, "out"), nested(4, number(1, LOCAL_OUT), number(2, 0)), number(5, 1), text(7, "filter"),
    ]))]
    bodies += [(NEW_RULE, table + text(2, "out") + nested(4, *rule)) for rule in rules(near, allowed)]
    batch = [message(BATCH_BEGIN, 0, 0, 0, NFTABLES)]
    for sequence, (kind, body) in enumerate(bodies, 1):
        batch.append(message(NFTABLES << 8 | kind, ACK | CREATE | APPEND, sequence, INET, 0, body))
    batch.append(message(BATCH_END, 0, len(bodies) + 1, 0, NFTABLES))
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETFILTER) as kernel:
        kernel.settimeout(10)
        kernel.bind((0, 0))
        kernel.send(b"".join(batch))
        wanted = set(range(1, len(bodies) + 1))
        while wanted:
            answer = kernel.recv(1 << 20)
            while answer:
                length, kind, _, sequence, _, error = struct.unpack_from("=LHHLLl", answer)
                if kind != 2 or error:
                    raise OSError(-error, "the kernel does not take the filter (message %d): %s" % (sequence, os.strerror(-error)))
                wanted.discard(sequence)
                answer = answer[(length + 3) & ~3:]


def main():
    theirs, ours = "/proc/1/net/fib_trie", "/proc/self/net/fib_trie"
    with open(theirs) as one, open(ours) as other:
        if one.read() == other.read():
            sys.exit("the addresses of the Docker host cannot be seen")
    host = local_addresses(theirs)
    near = set(connected())
    if not host or not near:
        sys.exit("no addresses are found: host %d, network %d" % (len(host), len(near)))
    install(host | near, [ipaddress.ip_network(network) for network in sys.argv[1:]])
    print("guarded")


main()
