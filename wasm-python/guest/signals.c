/* Signals that a process sends to itself: the only ones there are. Stands in for wasi-libc's emulation, which knows no
 * masks and no real-time signals, and ends in a trap. */
#include "signals.h"

#include <errno.h>
#include <internal/pycore_traceback.h>
#include <signal.h>
#include <unistd.h>
#include <wasi/api.h>

#define BIT(number) ((uint64_t)1 << ((number) - 1))

static void (*handlers[_NSIG])(int);
static uint64_t blocked, pending;
static int started;
static int delivered; /* the signal whose handler runs: CPython's sets itself again */

/* faulthandler.register: where tracebacks go when a signal comes. */
static struct {
    int fd; /* of the file, plus one; 0 when there is none */
    int all_threads;
    int chain;
} dumps[_NSIG];

void signals_started(void) { started = 1; }

void __SIG_IGN(int number) {}

_Noreturn void __SIG_ERR(int number) { __builtin_trap(); }

/* glibc keeps these for itself. */
static int is_reserved(int number) { return number == 32 || number == 33; }

static int is_uncatchable(int number) { return number == SIGKILL || number == SIGSTOP; }

void (*signal(int number, void (*handler)(int)))(int) {
    if (number <= 0 || number >= _NSIG || is_reserved(number) || (is_uncatchable(number) && started)) {
        errno = EINVAL;
        return SIG_ERR;
    }
    void (*before)(int) = handlers[number];
    if (!is_uncatchable(number)) {
        handlers[number] = handler;
    }
    if (number != delivered) {
        dumps[number].fd = 0; /* as when one action replaces the other */
    }
    return before;
}

static void by_default(int number) {
    switch (number) {
    case SIGCHLD:
    case SIGURG:
    case SIGWINCH:
    case SIGCONT:
    /* The kernel stops no process whose group no shell is in charge of. */
    case SIGTSTP:
    case SIGTTIN:
    case SIGTTOU:
        return;
    case SIGSTOP:
        for (;;) {
            sleep(1 << 20); /* nobody is there to continue it */
        }
    default:
        /* As a shell tells of it. */
        __wasi_proc_exit((__wasi_exitcode_t)(128 + number));
    }
}

static void deliver(int number) {
    if (dumps[number].fd > 0) {
        if (dumps[number].all_threads) {
            _Py_DumpTracebackThreads(dumps[number].fd - 1, NULL, PyGILState_GetThisThreadState());
        } else {
            _Py_DumpTraceback(dumps[number].fd - 1, PyGILState_GetThisThreadState());
        }
        if (!dumps[number].chain) {
            return;
        }
    }
    void (*handler)(int) = handlers[number];
    if (handler == SIG_DFL) {
        by_default(number);
    } else {
        int outer = delivered;
        delivered = number;
        handler(number);
        delivered = outer;
    }
}

int raise(int number) {
    if (number < 0 || number >= _NSIG) {
        errno = EINVAL;
        return -1;
    }
    if (number == 0) {
        return 0; /* asks only whether the process is there */
    }
    if (blocked & BIT(number)) {
        pending |= BIT(number);
    } else {
        deliver(number);
    }
    return 0;
}

PyObject *signals_kill(PyObject *self, PyObject *args) {
    int pid, number;
    if (!PyArg_ParseTuple(args, "ii:kill", &pid, &number)) {
        return NULL;
    }
    if (pid == 0 || pid == getpid()) {
        if (raise(number) != 0) {
            return PyErr_SetFromErrno(PyExc_OSError);
        }
        return PyErr_CheckSignals() < 0 ? NULL : Py_NewRef(Py_None);
    }
    PyObject *module = PyImport_ImportModule("_pyexec_signals");
    PyObject *never = module == NULL ? NULL : PyObject_CallMethod(module, "no_such_process", "i", number);
    Py_XDECREF(module);
    return never;
}

PyObject *signals_pthread_kill(PyObject *self, PyObject *args) {
    unsigned long thread;
    int number;
    if (!PyArg_ParseTuple(args, "ki:pthread_kill", &thread, &number)) {
        return NULL;
    }
    errno = ESRCH;
    if (thread != PyThread_get_thread_ident() || raise(number) != 0) {
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    return PyErr_CheckSignals() < 0 ? NULL : Py_NewRef(Py_None);
}

PyObject *signals_mask(PyObject *self, PyObject *args) {
    int how;
    unsigned long long set;
    if (!PyArg_ParseTuple(args, "iK", &how, &set)) {
        return NULL;
    }
    uint64_t before = blocked;
    switch (how) {
    case 0: blocked |= set; break;
    case 1: blocked &= ~set; break;
    case 2: blocked = set; break;
    default:
        errno = EINVAL;
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    blocked &= ~(BIT(SIGKILL) | BIT(SIGSTOP) | BIT(32) | BIT(33));
    for (int number = 1; number < _NSIG; number++) {
        if (pending & ~blocked & BIT(number)) {
            pending &= ~BIT(number);
            deliver(number);
        }
    }
    return PyErr_CheckSignals() < 0 ? NULL : PyLong_FromUnsignedLongLong(before);
}

PyObject *signals_pending(PyObject *self, PyObject *unused) { return PyLong_FromUnsignedLongLong(pending); }

PyObject *signals_take(PyObject *self, PyObject *set) {
    unsigned long long wanted = PyLong_AsUnsignedLongLong(set);
    if (PyErr_Occurred()) {
        return NULL;
    }
    int number = pending & wanted ? __builtin_ctzll(pending & wanted) + 1 : 0;
    if (number > 0) {
        pending &= ~BIT(number);
    }
    return PyLong_FromLong(number);
}

PyObject *signals_dump_at(PyObject *self, PyObject *args) {
    int number, fd, all_threads, chain;
    if (!PyArg_ParseTuple(args, "iipp", &number, &fd, &all_threads, &chain)) {
        return NULL;
    }
    if (number <= 0 || number >= _NSIG) {
        PyErr_SetString(PyExc_ValueError, "signal number out of range");
        return NULL;
    }
    int before = dumps[number].fd > 0;
    dumps[number].fd = fd < 0 ? 0 : fd + 1;
    dumps[number].all_threads = all_threads;
    dumps[number].chain = chain;
    return PyBool_FromLong(before);
}

PyObject *signals_abort(PyObject *self, PyObject *unused) {
    blocked &= ~BIT(SIGABRT);
    deliver(SIGABRT);
    /* A handler that returns does not save the process. */
    handlers[SIGABRT] = SIG_DFL;
    by_default(SIGABRT);
    Py_UNREACHABLE();
}
