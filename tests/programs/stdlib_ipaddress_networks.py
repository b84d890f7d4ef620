import ipaddress as ip

for text in ("192.168.1.10", "8.8.8.8", "127.0.0.1", "2001:db8::1", "::ffff:10.0.0.1", "fe80::1%eth0", "224.0.0.1", "169.254.3.4"):
    a = ip.ip_address(text)
    flags = [f for f in ("is_private", "is_global", "is_loopback", "is_multicast", "is_link_local") if getattr(a, f)]
    print(a, a.version, int(a), flags, getattr(a, "scope_id", "-"))
net = ip.ip_network("10.20.0.0/22")
print(net, net.netmask, net.hostmask, net.num_addresses, net.broadcast_address, net.prefixlen, net.with_netmask)
print([str(n) for n in net.subnets(new_prefix=24)], net.supernet(), ip.ip_address("10.20.3.7") in net)
print([str(h) for h in list(ip.ip_network("192.0.2.0/29").hosts())])
print([str(n) for n in ip.ip_network("192.0.2.0/28").address_exclude(ip.ip_network("192.0.2.4/30"))])
print([str(n) for n in ip.collapse_addresses(map(ip.ip_network, ["10.0.0.0/25", "10.0.0.128/25", "10.0.1.0/24", "11.0.0.0/8"]))])
print([str(n) for n in ip.summarize_address_range(ip.IPv4Address("10.0.0.3"), ip.IPv4Address("10.0.0.12"))])
i = ip.ip_interface("2001:db8:1::5/48")
print(i.network, i.ip, i.ip.exploded, i.ip.compressed, i.with_prefixlen)
print(ip.ip_address("10.0.0.255") + 1, ip.ip_address(1), sorted(map(ip.ip_address, ["10.0.0.10", "10.0.0.9", "9.255.0.1"])))
print(ip.IPv6Address("::ffff:1.2.3.4").ipv4_mapped, ip.ip_address(b"\x7f\x00\x00\x01"), net.overlaps(ip.ip_network("10.20.2.0/23")))
print(ip.ip_address("10.1.2.3").reverse_pointer, ip.ip_address("2001:db8::1").reverse_pointer[:20])
print(f"{ip.ip_address('10.1.2.3'):b}", f"{ip.ip_address('10.1.2.3'):#X}", ip.v4_int_to_packed(256))
for bad in ("256.1.1.1", "1.2.3", "::1::", "01.2.3.4", "", "g::1"):
    try:
        ip.ip_address(bad)
    except ValueError as e:
        print(e)
for bad in ("10.0.0.1/24", "10.0.0.0/33"):
    try:
        ip.ip_network(bad)
    except ValueError as e:
        print(e)
