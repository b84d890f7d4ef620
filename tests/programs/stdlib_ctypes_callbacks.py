"""Functions of C's types that are made of Python's, called from Python."""
import ctypes

add = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_int)(lambda a, b: a + b)
half = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(lambda x: x / 2)
say = ctypes.CFUNCTYPE(None, ctypes.c_char_p)(lambda text: print("said", text))
first = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int))(lambda numbers: numbers[0])
many = ctypes.CFUNCTYPE(ctypes.c_longlong, *[ctypes.c_byte] * 6)(lambda *numbers: sum(numbers))
print(add(2, 3), half(5.0), first((ctypes.c_int * 2)(7, 8)), many(1, 2, 3, 4, 5, 6), say(b"hello"))


@ctypes.CFUNCTYPE(ctypes.c_bool)
def decorated():
    return True


print(decorated(), add(2**31 - 1, 1))
try:
    add("x", 1)
except ctypes.ArgumentError as error:
    print(error)
del add
print(half(3.0))
