class Weird:
    def __bool__(self):
        return "yes"

    def __len__(self):
        return -1

    def __str__(self):
        return 5

    def __hash__(self):
        return "h"


    def __repr__(self):
        return None

    def __index__(self):
        return 1.5

    def __int__(self):
        return "1"

    def __float__(self):
        return 1

    def __iter__(self):
        return 5

    def __contains__(self, x):
        return x

    def __eq__(self, o):
        return "not a bool"

    def __format__(self, spec):
        return len(spec)

    def __bytes__(self):
        return "text"

    def __complex__(self):
        return 1

    def __dir__(self):
        return 5

    def __reversed__(self):
        return "any object"


for fn in (bool, len, str, repr, hash, int, float, complex, iter, list, bytes, format, dir, hex, range):
    try:
        fn(Weird())
    except (TypeError, ValueError) as e:
        print(fn.__name__, type(e).__name__, e)
w = Weird()
print(5 in w, 0 in w, w == 1, w != 1, reversed(w))
