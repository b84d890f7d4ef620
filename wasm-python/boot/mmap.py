"""Memory maps for a process that has no virtual memory.

A map of a file that is shared stands for the file itself: what is read from it is read there, and what is written is
written there. Memory takes its place once somebody asks for the memory, through the buffer protocol; from then on it is
written back by flush() and close() as well. Other maps are memory from the start.
"""
import errno as _errno
import os as _os
import sys as _sys
from operator import index as _index

error = OSError
PAGESIZE = ALLOCATIONGRANULARITY = 4096
ACCESS_DEFAULT, ACCESS_READ, ACCESS_WRITE, ACCESS_COPY = range(4)
PROT_READ, PROT_WRITE, PROT_EXEC = 1, 2, 4
MAP_SHARED, MAP_PRIVATE = 1, 2
MAP_ANON = MAP_ANONYMOUS = 0x20
MAP_DENYWRITE, MAP_EXECUTABLE, MAP_NORESERVE, MAP_POPULATE, MAP_STACK = 0x800, 0x1000, 0x4000, 0x8000, 0x20000
MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL, MADV_WILLNEED, MADV_DONTNEED = range(5)
MADV_FREE, MADV_REMOVE, MADV_DONTFORK, MADV_DOFORK = 8, 9, 10, 11
MADV_MERGEABLE, MADV_UNMERGEABLE, MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_DONTDUMP, MADV_DODUMP = range(12, 18)

_ACCESSES = ("ACCESS_DEFAULT", "ACCESS_READ", "ACCESS_WRITE", "ACCESS_COPY")


class mmap:
    """Maps a file, or memory without one when the descriptor is -1."""

    __module__ = "mmap"

    def __new__(cls, fileno, length, flags=MAP_SHARED, prot=PROT_READ | PROT_WRITE, access=ACCESS_DEFAULT, offset=0, *,
                trackfd=True):
        if length < 0:
            raise OverflowError("memory mapped length must be positive")
        if offset < 0:
            raise OverflowError("memory mapped offset must be positive")
        if access != ACCESS_DEFAULT and (flags != MAP_SHARED or prot != PROT_READ | PROT_WRITE):
            raise ValueError("mmap can't specify both access and flags, prot.")
        if access not in range(4):
            raise ValueError("mmap invalid access parameter.")
        if access == ACCESS_DEFAULT and prot & (PROT_READ | PROT_WRITE) != PROT_READ | PROT_WRITE:
            access = ACCESS_WRITE if prot & PROT_WRITE else ACCESS_READ
        self = super().__new__(cls)
        self._closed = True
        private = access == ACCESS_COPY or flags & MAP_PRIVATE
        self._writable = access != ACCESS_READ and bool(prot & PROT_WRITE)
        self._access, self._offset, self._position, self._exports = access, offset, 0, 0
        # Memory that is the truth; a copy of the file for those who only read, with the file's state when it was made.
        self._memory = self._copy = self._copied = None
        self._fd = -1
        if fileno == -1 or flags & MAP_ANONYMOUS:
            if length == 0:
                raise _os_error(_errno.EINVAL)
            self._memory = bytearray(length)
        else:
            size = _os.fstat(fileno).st_size
            if length == 0:
                if size == 0:
                    raise ValueError("cannot mmap an empty file")
                if offset >= size:
                    raise ValueError("mmap offset is greater than file size")
                length = size - offset
            elif offset > size or size - offset < length:
                raise ValueError("mmap length is greater than file size")
            if offset % ALLOCATIONGRANULARITY:
                raise _os_error(_errno.EINVAL)
            self._fd = _os.dup(fileno)
            try:
                _os.pread(self._fd, 0, 0)
                if self._writable and not private:
                    _os.pwrite(self._fd, b"", 0)
            except OSError:
                _os.close(self._fd)
                raise _os_error(_errno.EACCES) from None
            if private:
                self._memory = bytearray(self._load(offset, length))
        self._length, self._private, self._tracks, self._closed = length, bool(private), trackfd, False
        return self

    def _load(self, at, length):
        content = _os.pread(self._fd, length, at)
        # Beyond the end of a file that got shorter, where Linux would send SIGBUS.
        return content + bytes(length - len(content))

    def _check(self, writing=False):
        if self._closed:
            raise ValueError("mmap closed or invalid")
        if writing and not self._writable:
            raise TypeError("mmap can't modify a readonly memory map.")

    def _get(self, start, stop):
        self._check()
        if self._memory is not None:
            return bytes(self._memory[start:stop])
        return self._load(self._offset + start, max(stop - start, 0))

    def _put(self, start, content):
        self._check()
        if self._memory is not None:
            self._memory[start:start + len(content)] = content
        if self._fd >= 0 and not self._private:
            done = 0
            while done < len(content):
                done += _os.pwrite(self._fd, content[done:], self._offset + start + done)

    def __buffer__(self, flags):
        self._check()
        if self._writable:
            if self._memory is None:
                self._memory = bytearray(self._get(0, self._length))
            view = memoryview(self._memory)
        elif self._memory is not None:
            view = memoryview(self._memory).toreadonly()
        else:
            stat = _os.fstat(self._fd)
            state = stat.st_size, stat.st_mtime_ns
            if self._copied != state:
                self._copy, self._copied = self._get(0, self._length), state
            view = memoryview(self._copy)
        self._exports += 1
        return view

    def __release_buffer__(self, view):
        self._exports -= 1
        view.release()

    def __len__(self):
        self._check()
        return self._length

    def _at(self, index):
        index = _index(index)
        self._check()
        if index < 0:
            index += self._length
        if not 0 <= index < self._length:
            raise IndexError("mmap index out of range")
        return index

    def __getitem__(self, index):
        self._check()
        if isinstance(index, slice):
            start, stop, step = index.indices(self._length)
            if step == 1:
                return self._get(start, stop)
            return self._get(0, self._length)[index]
        if not hasattr(index, "__index__"):
            raise TypeError("mmap indices must be integers")
        at = self._at(index)
        return self._get(at, at + 1)[0]

    def __setitem__(self, index, value):
        self._check(writing=True)
        if isinstance(index, slice):
            places = range(self._length)[index]
            content = bytes(memoryview(value).cast("B"))
            if len(content) != len(places):
                raise IndexError("mmap slice assignment is wrong size")
            if places.step == 1:
                self._put(places.start, content)
            else:
                for at, byte in zip(places, content):
                    self._put(at, bytes((byte,)))
            return
        if not hasattr(index, "__index__"):
            raise TypeError("mmap indices must be integers")
        at = self._at(index)
        if not hasattr(value, "__index__"):
            raise TypeError("mmap item value must be an int")
        value = _index(value)
        if not 0 <= value <= 255:
            raise ValueError("mmap item value must be in range(0, 256)")
        self._put(at, bytes((value,)))

    def __delitem__(self, index):
        raise TypeError("mmap object doesn't support item deletion")

    def __iter__(self):
        # As the original's sequence protocol has it: items are bytes.
        at = 0
        while at < len(self):
            yield self._get(at, at + 1)
            at += 1

    def __enter__(self):
        self._check()
        return self

    def __exit__(self, *exception):
        self.close()

    def __del__(self):
        if not getattr(self, "_closed", True):
            self._exports = 0
            self.close()

    def __repr__(self):
        if self._closed:
            return f"<{type(self).__module__}.{type(self).__qualname__} closed=True>"
        return (f"<{type(self).__module__}.{type(self).__qualname__} closed=False, access={_ACCESSES[self._access]}, "
                f"length={self._length}, pos={self._position}, offset={self._offset}>")

    def __reduce_ex__(self, protocol):
        raise TypeError(f"cannot pickle {type(self).__module__}.{type(self).__qualname__!s} object")

    @property
    def closed(self):
        return self._closed

    def close(self):
        if self._closed:
            return
        if self._exports > 0:
            raise BufferError("cannot close exported pointers exist")
        self.flush()
        if self._fd >= 0:
            _os.close(self._fd)
        self._closed, self._fd, self._memory, self._copy = True, -1, None, None

    def flush(self, offset=0, size=None):
        self._check()
        if size is None:
            size = self._length - offset
        if offset < 0 or size < 0 or offset + size > self._length:
            raise ValueError("flush values out of range")
        if offset % PAGESIZE:
            raise _os_error(_errno.EINVAL)
        if self._memory is not None and self._writable and self._fd >= 0 and not self._private:
            self._put(offset, bytes(self._memory[offset:offset + size]))

    def _range(self, start, end):
        start = self._position if start is None else start
        end = self._length if end is None else end
        return slice(start, end).indices(self._length)[:2]

    def find(self, sub, start=None, end=None, /):
        self._check()
        start, end = self._range(start, end)
        at = self._get(start, end).find(bytes(sub)) if start <= end else -1
        return at if at < 0 else at + start

    def rfind(self, sub, start=None, end=None, /):
        self._check()
        start, end = self._range(start, end)
        at = self._get(start, end).rfind(bytes(sub)) if start <= end else -1
        return at if at < 0 else at + start

    def madvise(self, option, start=0, length=None):
        self._check()
        start, length = _index(start), self._length if length is None else _index(length)
        if not 0 <= start < self._length:
            raise ValueError("madvise start out of bounds")
        if length < 0:
            raise ValueError("madvise length invalid")
        if start + length > _sys.maxsize:
            raise OverflowError("madvise length too large")

    def move(self, dest, src, count, /):
        self._check(writing=True)
        dest, src, count = _index(dest), _index(src), _index(count)
        if dest < 0 or src < 0 or count < 0 or max(dest, src) + count > self._length:
            raise ValueError("source, destination, or count out of range")
        self._put(dest, self._get(src, src + count))

    def read(self, n=None, /):
        self._check()
        n = None if n is None else _index(n)
        self._check()
        rest = max(self._length - self._position, 0)
        n = rest if n is None or n < 0 else min(n, rest)
        content = self._get(self._position, self._position + n)
        self._position += n
        return content

    def read_byte(self):
        self._check()
        if self._position >= self._length:
            raise ValueError("read byte out of range")
        return self.read(1)[0]

    def readline(self):
        self._check()
        line, at = b"", self._position
        while at < self._length and not line.endswith(b"\n"):
            part = self._get(at, min(at + PAGESIZE, self._length))
            part = part[:part.find(b"\n") + 1] or part
            line += part
            at += len(part)
        self._position = at
        return line

    def resize(self, newsize, /):
        self._check(writing=True)
        if self._exports > 0:
            raise BufferError("mmap can't resize with extant buffers exported.")
        if not self._tracks:
            raise ValueError("mmap can't resize with trackfd=False.")
        if self._access not in (ACCESS_DEFAULT, ACCESS_WRITE):
            raise TypeError("mmap can't resize a readonly or copy-on-write memory map.")
        if newsize < 0 or self._offset + newsize > _sys.maxsize:
            raise ValueError("new size out of range")
        if self._fd < 0 and not self._private and newsize > self._length:
            raise ValueError("mmap: can't expand a shared anonymous mapping on Linux")
        if self._fd >= 0 and not self._private:
            _os.ftruncate(self._fd, self._offset + newsize)
        if self._memory is not None:
            del self._memory[newsize:]
            self._memory.extend(bytes(newsize - len(self._memory)))
        self._length = newsize

    def seek(self, pos, whence=0, /):
        self._check()
        pos, whence = _index(pos), _index(whence)
        self._check()
        if whence not in (0, 1, 2):
            raise ValueError("unknown seek type")
        to = pos + (0, self._position, self._length)[whence]
        if not 0 <= to <= self._length:
            raise ValueError("seek out of range")
        self._position = to
        return to

    def seekable(self):
        return True

    def size(self):
        self._check()
        return _os.fstat(self._fd if self._tracks else -1).st_size

    def tell(self):
        self._check()
        return self._position

    def write(self, bytes, /):
        self._check(writing=True)
        content = memoryview(bytes).cast("B").tobytes()
        if self._position + len(content) > self._length:
            raise ValueError("data out of range")
        self._put(self._position, content)
        self._position += len(content)
        return len(content)

    def write_byte(self, byte, /):
        byte = _index(byte)
        self._check(writing=True)
        if not 0 <= byte <= 255:
            raise OverflowError("unsigned byte integer is greater than maximum" if byte > 255
                                else "unsigned byte integer is less than minimum")
        if self._position >= self._length:
            raise ValueError("write byte out of range")
        self._put(self._position, bytes((byte,)))
        self._position += 1


def _os_error(number):
    return OSError(number, _os.strerror(number))
