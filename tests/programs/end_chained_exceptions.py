class StorageError(Exception):
    pass


class ServiceError(Exception):
    def __init__(self, msg, *, status):
        super().__init__(msg, status)
        self.status = status


def read(key):
    return {"a": 1}[key]


def fetch(key):
    try:
        return read(key)
    except KeyError as e:
        raise StorageError(f"cannot read {key}") from e


def handle(key):
    try:
        return fetch(key)
    except StorageError:
        print("handling storage error for", key)
        raise ServiceError("request failed", status=503)


print(handle("a"))
try:
    handle("b")
except ServiceError as e:
    chain = []
    cur = e
    while cur:
        chain.append(type(cur).__name__)
        cur = cur.__cause__ or cur.__context__
    print(chain, e.status)
handle("zzz")
