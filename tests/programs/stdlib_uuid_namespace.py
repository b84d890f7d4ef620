import uuid

for name in ("python.org", "example.com", "näme"):
    print(name, uuid.uuid3(uuid.NAMESPACE_DNS, name), uuid.uuid5(uuid.NAMESPACE_DNS, name))

u = uuid.UUID("{12345678-1234-5678-1234-567812345678}")
print(u, repr(u), u.hex, u.int, u.urn, u.version, u.variant)
print(u.bytes, u.bytes_le, u.fields, u.time_low, u.clock_seq, u.node)
print(uuid.UUID(int=2**128 - 1) == uuid.MAX, uuid.NIL, uuid.UUID(bytes=bytes(range(16))))
print(uuid.uuid5(uuid.NAMESPACE_URL, "http://x").version, uuid.UUID(int=0, version=4))
print(sorted([uuid.uuid5(uuid.NAMESPACE_OID, str(i)) for i in range(4)]))
rnd = uuid.uuid4()
print(rnd.version, rnd.variant, len(str(rnd)), rnd == uuid.UUID(str(rnd)), uuid.uuid7().version)
d = {uuid.uuid3(uuid.NAMESPACE_DNS, "k"): "v"}
print(d[uuid.UUID(str(uuid.uuid3(uuid.NAMESPACE_DNS, "k")))])
for bad in ("xyz", "1234", "g" * 32):
    try:
        uuid.UUID(bad)
    except ValueError as e:
        print("ValueError:", e)
try:
    u.int = 5
except TypeError as e:
    print("TypeError:", e)
