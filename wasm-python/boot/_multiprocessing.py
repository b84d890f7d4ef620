"""multiprocessing's C half: locks of one process. There are no others to wait for, nor to be waited for by."""
import errno as _errno
import itertools as _itertools
import os as _os

flags = {"HAVE_SEM_OPEN": 1, "HAVE_SEM_TIMEDWAIT": 1}
_handles = _itertools.count(1)
_RECURSIVE_MUTEX = 0


class SemLock:
    """Semaphore/Mutex type"""

    SEM_VALUE_MAX = 2147483647

    def __init__(self, kind, value, maxvalue, name, unlink):
        if kind not in (0, 1):
            raise ValueError("unrecognized kind")
        self.handle, self.kind, self.maxvalue, self.name = next(_handles), kind, maxvalue, None if unlink else name
        self._value, self._acquired = value, 0
        _let_nobody_track()

    @classmethod
    def _rebuild(cls, handle, kind, maxvalue, name):
        # By a process that was started, of which there are none.
        raise _refused()

    def acquire(self, block=True, timeout=None):
        """Acquire the semaphore/lock."""
        if self.kind == _RECURSIVE_MUTEX and self._is_mine():
            self._acquired += 1
            return True
        if self._value > 0:
            self._value -= 1
            self._acquired += 1
            return True
        if block and timeout is None:
            raise _refused()
        if block and timeout > 0:
            import time

            time.sleep(timeout)
        return False

    def release(self):
        """Release the semaphore/lock."""
        if self.kind == _RECURSIVE_MUTEX:
            if not self._is_mine():
                raise AssertionError("attempt to release recursive lock not owned by thread")
            if self._acquired > 1:
                self._acquired -= 1
                return
        elif self._value >= self.maxvalue:
            raise ValueError("semaphore or lock released too many times")
        self._value += 1
        self._acquired -= 1

    def _count(self):
        """Number of acquires for this process."""
        return self._acquired

    def _is_mine(self):
        """Whether the lock is owned by this thread."""
        return self._acquired > 0

    def _get_value(self):
        """Get the value of semaphore."""
        return self._value

    def _is_zero(self):
        """Return whether semaphore has value zero."""
        return self._value == 0

    def _after_fork(self):
        """Rezero the net acquisition count after fork()."""
        self._acquired = 0

    def __enter__(self):
        """Enter the semaphore/lock."""
        return self.acquire()

    def __exit__(self, exc_type=None, exc_value=None, exc_tb=None, /):
        """Exit the semaphore/lock."""
        self.release()


def _refused():
    """What only another process could end, which is a capability miss."""
    import _pyexec_linux

    return _pyexec_linux.miss("process", "multiprocessing", OSError(_errno.ENOSYS, _os.strerror(_errno.ENOSYS)))


def _let_nobody_track():
    """Leaves out the process that removes what others have left: what is made here ends with this one."""
    from multiprocessing import resource_tracker

    resource_tracker.register = resource_tracker.unregister = lambda name, rtype: None


def sem_unlink(name):
    """The name is this process's own, and ends with it."""
