/* CPython embedded as a reactor.
 *
 * `pyexec_prepare` runs once, before the snapshot: it starts the interpreter and has boot.py import what jobs use.
 * `pyexec_run` runs once in each copy of the snapshot: it makes the interpreter look like a fresh `python main.py`,
 * runs the job, and returns the exit status. In a session it runs once for each call, in the same names. `pyexec_bake` runs in
 * a copy that is snapshotted again. The interpreter is never finalised, because the copy is thrown away; what a program can
 * see of finalisation (atexit, flushed files, __del__) is done here, but for sessions. */
#include <errno.h>
#include <fcntl.h>
#include "guest.h"
#include "hash.h"
#include "host.h"
#include "signals.h"

#include <internal/pycore_atexit.h>
#include <internal/pycore_ceval.h>
#include <internal/pycore_initconfig.h>
#include <internal/pycore_interp.h>
#include <internal/pycore_pymem.h>
#include <internal/pycore_pylifecycle.h>
#include <internal/pycore_runtime.h>
#include <internal/pycore_pystate.h>
#include <internal/pycore_traceback.h>
#include <marshal.h>
#include <signal.h>
#include <unistd.h>
#include <wasi/api.h>
#include <wasi/libc-find-relpath.h>

#define EXPORT(name) __attribute__((export_name(name), visibility("default")))
#define PROJECT "/work"

static PyObject *boot; /* the module _pyexec_boot */
static PyObject *cell; /* the module _pyexec_cell */
static PyObject *session; /* the module _pyexec_session */
static PyObject *builtins;
static PyObject *loader_type; /* importlib.machinery.SourceFileLoader */
static PyObject *interpreter_name; /* as a shell gives it */
static PyObject *log_handlers; /* the list of weak references to all handlers of logging */

/* Without a caller, the linker would drop the import that metering calls. */
EXPORT("pyexec_tick") void pyexec_tick(void) { host_tick(); }

static void report(enum report kind, PyObject *text) {
    Py_ssize_t length;
    const char *utf8 = text == NULL ? NULL : PyUnicode_AsUTF8AndSize(text, &length);
    if (utf8 != NULL) {
        host_report(kind, utf8, (size_t)length);
    }
    PyErr_Clear();
}

/* ---- the _pyexec module, for boot.py and the stand-ins beside it ---- */

static int64_t find_module(PyObject *stem) {
    Py_ssize_t length;
    const char *utf8 = PyUnicode_AsUTF8AndSize(stem, &length);
    if (utf8 == NULL) {
        PyErr_Clear();
        return -1; /* no file has such a name */
    }
    return host_module_find(utf8, (size_t)length);
}

static PyObject *py_find_module(PyObject *self, PyObject *stem) {
    int64_t found = find_module(stem);
    return found < 0 ? Py_NewRef(Py_None) : PyLong_FromLong((long)(found & 3));
}

static PyObject *py_load_code(PyObject *self, PyObject *stem) {
    int64_t found = find_module(stem);
    if (found >> 2 <= 0) {
        Py_RETURN_NONE;
    }
    Py_ssize_t length = (Py_ssize_t)(found >> 2);
    char *bytes = PyMem_Malloc((size_t)length);
    if (bytes == NULL) {
        return PyErr_NoMemory();
    }
    host_module_load(bytes);
    PyObject *code = PyMarshal_ReadObjectFromString(bytes, length);
    PyMem_Free(bytes);
    return code;
}

static PyObject *py_report(PyObject *self, PyObject *args) {
    int kind;
    PyObject *text;
    if (!PyArg_ParseTuple(args, "iU", &kind, &text)) {
        return NULL;
    }
    report((enum report)kind, text);
    Py_RETURN_NONE;
}

static PyObject *py_chmod(PyObject *self, PyObject *args) {
    PyObject *path;
    unsigned mode;
    if (!PyArg_ParseTuple(args, "O&I", PyUnicode_FSConverter, &path, &mode)) {
        return NULL;
    }
    char *relative = NULL;
    size_t relative_length = 0;
    const char *absolute;
    int folder = __wasilibc_find_relpath_alloc(PyBytes_AS_STRING(path), &absolute, &relative, &relative_length, 1);
    int error = folder < 0 ? ENOENT : host_chmod(folder, relative, strlen(relative), mode);
    free(relative);
    Py_DECREF(path);
    return PyLong_FromLong(error);
}

/* A path as WASI takes it. What `relative` points to is for the caller to free. Returns the folder's descriptor, or -1. */
static int relative_to(int folder, const char *path, char **relative) {
    if (folder >= 0 && path[0] != '/') {
        *relative = strdup(path);
        return *relative == NULL ? -1 : folder;
    }
    size_t length = 0;
    const char *absolute;
    return __wasilibc_find_relpath_alloc(path, &absolute, relative, &length, 1);
}

static PyObject *py_link(PyObject *self, PyObject *args) {
    PyObject *from, *to = NULL;
    int from_folder, to_folder, follow;
    if (!PyArg_ParseTuple(args, "O&O&iip", PyUnicode_FSConverter, &from, PyUnicode_FSConverter, &to, &from_folder,
                          &to_folder, &follow)) {
        return NULL;
    }
    char *old = NULL, *new = NULL;
    from_folder = relative_to(from_folder, PyBytes_AS_STRING(from), &old);
    to_folder = relative_to(to_folder, PyBytes_AS_STRING(to), &new);
    int error = ENOENT;
    if (from_folder >= 0 && to_folder >= 0) {
        error = __wasi_path_link(from_folder, follow ? __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW : 0, old, to_folder, new);
    }
    free(old);
    free(new);
    Py_DECREF(from);
    Py_DECREF(to);
    return PyLong_FromLong(error);
}

static PyObject *py_fchmod(PyObject *self, PyObject *args) {
    int fd;
    unsigned mode;
    if (!PyArg_ParseTuple(args, "iI", &fd, &mode)) {
        return NULL;
    }
    return PyLong_FromLong(host_chmod(fd, "", 0, mode));
}

static PyObject *py_dup(PyObject *self, PyObject *args) {
    int fd, to;
    if (!PyArg_ParseTuple(args, "ii", &fd, &to)) {
        return NULL;
    }
    return PyLong_FromLong(host_dup(fd, to));
}

static PyObject *py_pipe(PyObject *self, PyObject *unused) {
    int64_t ends = host_pipe();
    return ends < 0 ? PyLong_FromLongLong(ends) : Py_BuildValue("ii", (int)(ends & 0xffffffff), (int)(ends >> 32));
}

static PyObject *py_umask(PyObject *self, PyObject *args) {
    unsigned mask;
    int mode;
    if (!PyArg_ParseTuple(args, "Ii", &mask, &mode)) {
        return NULL;
    }
    host_umask(mask, mode);
    Py_RETURN_NONE;
}

static PyObject *py_disk(PyObject *self, PyObject *unused) {
    return Py_BuildValue("LLLL", host_disk(0), host_disk(1), host_disk(2), host_disk(3));
}

static PyObject *py_call_tools(PyObject *self, PyObject *args) {
    const char *calls;
    Py_ssize_t length;
    double seconds;
    if (!PyArg_ParseTuple(args, "s#d", &calls, &length, &seconds)) {
        return NULL;
    }
    int64_t answered = host_tools_call(calls, (size_t)length, seconds);
    if (answered == 0 && PyErr_CheckSignals() < 0) {
        return NULL;
    }
    char *bytes = PyMem_Malloc((size_t)answered + 1);
    if (bytes == NULL) {
        return PyErr_NoMemory();
    }
    host_tools_take(bytes);
    PyObject *text = PyUnicode_DecodeUTF8(bytes, (Py_ssize_t)answered, "strict");
    PyMem_Free(bytes);
    return text;
}

static PyObject *py_memory_bytes(PyObject *self, PyObject *unused) {
    return PyLong_FromUnsignedLongLong((unsigned long long)__builtin_wasm_memory_size(0) << 16);
}

static PyObject *py_memory_limit(PyObject *self, PyObject *unused) { return PyLong_FromLongLong(host_memory_limit()); }

static PyObject *py_effects(PyObject *self, PyObject *unused) {
    return Py_BuildValue("LLLLL", host_effects(0), host_effects(1), host_effects(2), host_effects(3), host_effects(4));
}

extern void _PyObject_StartNewArenas(void);
extern void malloc_start_anew(void);

extern void _PyRandom_SeedLater(PyObject *);

static PyObject *py_seed_later(PyObject *self, PyObject *generator) {
    _PyRandom_SeedLater(generator);
    Py_RETURN_NONE;
}

static PyObject *py_immortalize(PyObject *self, PyObject *objects) {
    return guest_immortalize(objects) < 0 ? NULL : Py_NewRef(Py_None);
}

/* Flags of open files, by Linux's numbers. */
enum { LINUX_APPEND = 1024, LINUX_NONBLOCK = 2048 };

static PyObject *py_fd_flags(PyObject *self, PyObject *argument) {
    int flags = fcntl((int)PyLong_AsLong(argument), F_GETFL);
    if (flags < 0) {
        return PyErr_Occurred() ? NULL : PyErr_SetFromErrno(PyExc_OSError);
    }
    int access = (flags & O_RDWR) == O_RDWR ? 2 : (flags & O_WRONLY) == O_WRONLY ? 1 : 0;
    return PyLong_FromLong(access | (flags & O_APPEND ? LINUX_APPEND : 0) | (flags & O_NONBLOCK ? LINUX_NONBLOCK : 0));
}

static PyObject *py_set_fd_flags(PyObject *self, PyObject *args) {
    int fd, flags;
    if (!PyArg_ParseTuple(args, "ii", &fd, &flags)) {
        return NULL;
    }
    int ours = (flags & LINUX_APPEND ? O_APPEND : 0) | (flags & LINUX_NONBLOCK ? O_NONBLOCK : 0);
    return PyLong_FromLong(fcntl(fd, F_SETFL, ours) < 0 ? errno : 0);
}

/* Calls what looks at exceptions, but not for one that says that there is no room for another call. */
static PyObject *look(PyObject *function, PyObject *args) {
    PyObject *error = PyTuple_GET_SIZE(args) == 3 ? PyTuple_GET_ITEM(args, 2) : Py_None;
    if (PyErr_GivenExceptionMatches(error, PyExc_RecursionError)) {
        Py_RETURN_NONE;
    }
    PyObject *result = PyObject_Call(function, args, NULL);
    if (result == NULL && PyErr_ExceptionMatches(PyExc_RecursionError)) {
        PyErr_Clear();
        Py_RETURN_NONE;
    }
    return result;
}

static PyObject *py_unless_too_deep(PyObject *self, PyObject *function) {
    static PyMethodDef method = {"look", look, METH_VARARGS, NULL};
    return PyCFunction_New(&method, function);
}

static PyMethodDef methods[] = {
    {"find_module", py_find_module, METH_O, "What an import finds at a path below /usr without suffix: None, or a number as in host.h."},
    {"load_code", py_load_code, METH_O, "The code object of the module there, or None where there is only source."},
    {"report", py_report, METH_VARARGS, "Tells the host something about the job; kinds as in host.h."},
    {"chmod", py_chmod, METH_VARARGS, "Sets permission bits; returns an errno or 0."},
    {"fchmod", py_fchmod, METH_VARARGS, "The same for an open file."},
    {"dup", py_dup, METH_VARARGS, "dup(fd, -1) or dup2(fd, to): a descriptor, or a negative errno."},
    {"fd_flags", py_fd_flags, METH_O, "How a file is open."},
    {"set_fd_flags", py_set_fd_flags, METH_VARARGS, "Changes that, as far as it can be; returns an errno or 0."},
    {"unless_too_deep", py_unless_too_deep, METH_O, "A callback of sys.monitoring that calls another while there is room."},
    {"pipe", py_pipe, METH_NOARGS, "A pair of descriptors, or a negative errno."},
    {"link", py_link, METH_VARARGS, "link(from, to, folder of from or -1, folder of to or -1, follow): an errno or 0."},
    {"umask", py_umask, METH_VARARGS, "Sets the permission bits that new files do not get, and those they do, or -1 for the usual."},
    {"disk", py_disk, METH_NOARGS, "Bytes of disk, of them free, files, of them free."},
    {"call_tools", py_call_tools, METH_VARARGS, "call_tools(calls as JSON, seconds): results of some of those outstanding, as JSON."},
    {"memory_bytes", py_memory_bytes, METH_NOARGS, "Bytes of memory that there are by now: the most there ever were."},
    {"memory_limit", py_memory_limit, METH_NOARGS, "Bytes of memory that the job may have."},
    {"effects", py_effects, METH_NOARGS, "Counts of what a copy cannot repeat, in the order of host.h."},
    {"seed_later", py_seed_later, METH_O, "Makes a random.Random that the system has seeded do so again at its next use."},
    {"immortalize", py_immortalize, METH_O, "Makes everything reachable from a list of objects immortal."},
    {"kill", signals_kill, METH_VARARGS, "kill($module, pid, signal, /)\n--\n\nKill a process with a signal."},
    {"pthread_kill", signals_pthread_kill, METH_VARARGS, "pthread_kill($module, thread_id, signalnum, /)\n--\n\nSend a signal to a thread."},
    {"signal_mask", signals_mask, METH_VARARGS, "pthread_sigmask with sets as numbers, signal 1 the lowest bit."},
    {"signal_pending", signals_pending, METH_NOARGS, "The signals that wait because they are blocked, as a number."},
    {"signal_take", signals_take, METH_O, "The first of these signals that waits, which then does no longer, or 0."},
    {"signal_dump_at", signals_dump_at, METH_VARARGS, "Has a signal write a traceback to a descriptor, or to none: -1."},
    {"abort", signals_abort, METH_NOARGS, "abort($module, /)\n--\n\nAbort the interpreter immediately."},
    {"hash_name", hash_name, METH_O, "The one name of a hash function that has several, or None."},
    {"hash_new", (PyCFunction)(void (*)(void))hash_new, METH_VARARGS | METH_KEYWORDS, "A hash object for what hashlib lacks."},
    {"pbkdf2_hmac", (PyCFunction)(void (*)(void))hash_pbkdf2_hmac, METH_VARARGS | METH_KEYWORDS, "RFC 8018 key derivation."},
    {"scrypt", (PyCFunction)(void (*)(void))hash_scrypt, METH_VARARGS | METH_KEYWORDS, "RFC 7914 key derivation."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, .m_name = "_pyexec", .m_size = 0, .m_methods = methods};

static PyObject *init_module(void) { return PyModuleDef_Init(&module); }

/* ---- in each copy ---- */

/* Where the snapshot's modules end in sys.modules. */
static Py_ssize_t modules_end;

/* Reads the job as the host wrote it: 32-bit little-endian numbers, and byte strings with their length before them. */
struct reader {
    const char *at;
};

static uint32_t read_number(struct reader *r) {
    uint32_t n;
    memcpy(&n, r->at, sizeof n);
    r->at += sizeof n;
    return n;
}

static const char *read_bytes(struct reader *r, Py_ssize_t *length) {
    *length = (Py_ssize_t)read_number(r);
    const char *bytes = r->at;
    r->at += *length;
    return bytes;
}

static PyObject *read_text(struct reader *r) {
    Py_ssize_t length;
    const char *bytes = read_bytes(r, &length);
    return PyUnicode_DecodeUTF8(bytes, length, "surrogateescape");
}

static PyObject *read_texts(struct reader *r) {
    uint32_t count = read_number(r);
    PyObject *list = PyList_New((Py_ssize_t)count);
    for (uint32_t i = 0; list != NULL && i < count; i++) {
        PyObject *text = read_text(r);
        if (text == NULL) {
            Py_CLEAR(list);
            break;
        }
        PyList_SET_ITEM(list, (Py_ssize_t)i, text);
    }
    return list;
}

enum job_flags {
    WANT_RESULT = 1,
    CALL_FUNCTION = 2,
    LIVES_ON = 4,  /* a call of a session: the source is a cell, and its names stay */
    NEW_STDIN = 8, /* the call before has read of an input that is another one now */
    ASK = 16,      /* nothing is run: `function` of _pyexec_session answers */
};

/* The names of __main__ between the calls of a session. */
static PyObject *session_names;

struct job {
    uint32_t flags;
    PyObject *path;     /* absolute path of the script, or the name of a cell */
    PyObject *source;   /* bytes */
    PyObject *argv;
    PyObject *env;      /* names and values in turn */
    PyObject *shadowed; /* standard library modules that the project has files of the same name for */
    PyObject *function;
    PyObject *arguments; /* JSON */
    PyObject *tools;     /* JSON: the functions of the host that a call may use; empty is none */
};

static int read_job(struct reader *r, struct job *job) {
    job->flags = read_number(r);
    job->path = read_text(r);
    Py_ssize_t length;
    const char *bytes = read_bytes(r, &length);
    job->source = PyBytes_FromStringAndSize(bytes, length);
    job->argv = read_texts(r);
    job->env = read_texts(r);
    job->shadowed = read_texts(r);
    job->function = read_text(r);
    job->arguments = read_text(r);
    job->tools = read_text(r);
    return job->path && job->source && job->argv && job->env && job->shadowed && job->function && job->arguments && job->tools
               ? 0 : -1;
}

static void release_job(struct job *job) {
    PyObject **const parts[] = {&job->path, &job->source, &job->argv, &job->env, &job->shadowed, &job->function,
                                &job->arguments, &job->tools};
    for (size_t i = 0; i < Py_ARRAY_LENGTH(parts); i++) {
        Py_CLEAR(*parts[i]);
    }
}

/* A SourceFileLoader for __main__, made without running its Python code. */
static PyObject *new_loader(PyObject *path) {
    PyTypeObject *type = (PyTypeObject *)loader_type;
    PyObject *loader = type->tp_alloc(type, 0);
    if (loader == NULL || PyObject_SetAttr(loader, &_Py_ID(name), &_Py_ID(__main__)) < 0 ||
        PyObject_SetAttr(loader, &_Py_ID(path), path) < 0) {
        Py_CLEAR(loader);
    }
    return loader;
}

/* `python3` and what follows it. The snapshot has it for a script by the usual name without arguments. */
static int set_orig_argv(PyObject *argv) {
    Py_ssize_t count = PyList_GET_SIZE(argv);
    if (count == 1 && PyUnicode_EqualToUTF8(PyList_GET_ITEM(argv, 0), "main.py")) {
        return 0;
    }
    PyObject *all = PyList_New(count + 1);
    if (all == NULL) {
        return -1;
    }
    PyList_SET_ITEM(all, 0, Py_NewRef(interpreter_name));
    for (Py_ssize_t i = 0; i < count; i++) {
        PyList_SET_ITEM(all, i + 1, Py_NewRef(PyList_GET_ITEM(argv, i)));
    }
    int set = PySys_SetObject("orig_argv", all);
    Py_DECREF(all);
    return set;
}

/* argv, environment, sys.path and __main__ as `python main.py` has them. Returns __main__'s namespace, borrowed. */
static PyObject *become_fresh(const struct job *job) {
    if (PySys_SetObject("argv", job->argv) < 0 || set_orig_argv(job->argv) < 0) {
        return NULL;
    }
    int is_cell = job->flags & LIVES_ON;
    Py_ssize_t folder_end = is_cell ? 0 : PyUnicode_FindChar(job->path, '/', 0, PY_SSIZE_T_MAX, -1);
    PyObject *folder = is_cell ? PyUnicode_FromString(PROJECT) : PyUnicode_Substring(job->path, 0, folder_end);
    if (folder == NULL) {
        return NULL;
    }
    if (PyList_GET_SIZE(job->env) > 0 || PyList_GET_SIZE(job->shadowed) > 0 ||
        !PyUnicode_EqualToUTF8(folder, PROJECT)) {
        PyObject *done = PyObject_CallMethod(boot, "adapt", "OOO", job->env, job->shadowed, folder);
        if (done == NULL) {
            return NULL;
        }
        Py_DECREF(done);
    }
    Py_DECREF(folder);
    /* A module of its own, not the snapshot's: what is in the snapshot never dies. */
    PyObject *main_module = PyModule_New("__main__");
    PyObject *names = main_module == NULL ? NULL : PyModule_GetDict(main_module);
    PyObject *loader = is_cell ? Py_NewRef(Py_None) : new_loader(job->path);
    if (names == NULL || loader == NULL || PyDict_SetItemString(names, "__loader__", loader) < 0 ||
        PyDict_SetItemString(names, "__builtins__", builtins) < 0 ||
        PyDict_SetItemString(PyImport_GetModuleDict(), "__main__", main_module) < 0) {
        return NULL;
    }
    if (!is_cell && (PyDict_SetItemString(names, "__file__", job->path) < 0 ||
                     PyDict_SetItemString(names, "__cached__", Py_None) < 0)) {
        return NULL;
    }
    Py_DECREF(loader);
    Py_DECREF(main_module);
    return names;
}

/* As the last expression of a cell has a value, it is compiled in two parts. */
static PyObject *run_cell(const struct job *job, PyObject *names) {
    PyObject *parts = PyObject_CallMethod(cell, "split", "OO", job->source, job->path);
    if (parts == NULL) {
        return NULL;
    }
    PyObject *first = PyTuple_GET_ITEM(parts, 0), *last = PyTuple_GET_ITEM(parts, 1), *value;
    if (strstr(PyBytes_AS_STRING(job->source), "display") != NULL) {
        PyObject *display = PyObject_GetAttrString(cell, "display");
        if (display == NULL || PyDict_SetItemString(names, "display", display) < 0) {
            Py_XDECREF(display);
            Py_DECREF(parts);
            return NULL;
        }
        Py_DECREF(display);
    }
    int awaits = ((PyCodeObject *)first)->co_flags & CO_COROUTINE ||
                 (last != Py_None && ((PyCodeObject *)last)->co_flags & CO_COROUTINE);
    if (awaits) {
        value = PyObject_CallMethod(cell, "run_awaiting", "OOO", first, last, names);
    } else {
        value = PyEval_EvalCode(first, names, names);
        if (value != NULL && last != Py_None) {
            Py_SETREF(value, PyEval_EvalCode(last, names, names));
        }
    }
    Py_DECREF(parts);
    return value;
}

static PyObject *run_script(const struct job *job, PyObject *names) {
    PyCompilerFlags flags = _PyCompilerFlags_INIT;
    PyObject *code = NULL;
    if (strlen(PyBytes_AS_STRING(job->source)) == (size_t)PyBytes_GET_SIZE(job->source)) {
        code = Py_CompileStringObject(PyBytes_AS_STRING(job->source), job->path, Py_file_input, &flags, -1);
    } else {
        PyErr_SetString(PyExc_SyntaxError, "source code cannot contain null bytes");
    }
    if (code == NULL && PyErr_ExceptionMatches(PyExc_SyntaxError) && strstr(PyBytes_AS_STRING(job->source), "install")) {
        /* It may be a line that installs packages. */
        PyErr_Clear();
        code = PyObject_CallMethod(cell, "compiled", "OO", job->source, job->path);
    }
    if (code == NULL) {
        return NULL;
    }
    PyObject *done = PyEval_EvalCode(code, names, names);
    Py_DECREF(code);
    return done;
}

/* No frame of ours is below the function's. */
static PyObject *call_function(const struct job *job, PyObject *names) {
    PyObject *call = PyObject_CallMethod(cell, "callee", "OOO", names, job->function, job->arguments);
    if (call == NULL) {
        return NULL;
    }
    PyObject *value = PyObject_Call(PyTuple_GET_ITEM(call, 0), PyTuple_GET_ITEM(call, 1), PyTuple_GET_ITEM(call, 2));
    Py_DECREF(call);
    if (value != NULL && PyCoro_CheckExact(value)) {
        Py_SETREF(value, PyObject_CallMethod(cell, "wait_for", "O", value));
    }
    return value;
}

/* Whether the script may see in which order its objects go: looking for garbage takes time, which others need not lose. */
static int speaks_of_ends;

static PyObject *run_job(const struct job *job, PyObject *names) {
    const char *source = PyBytes_Check(job->source) ? PyBytes_AS_STRING(job->source) : PyUnicode_AsUTF8(job->source);
    speaks_of_ends = source == NULL || strstr(source, "__del__") || strstr(source, "finalize") || strstr(source, "weakref");
    PyErr_Clear();
    PyObject *value = job->flags & WANT_RESULT ? run_cell(job, names) : run_script(job, names);
    if (value != NULL && job->flags & CALL_FUNCTION) {
        Py_SETREF(value, call_function(job, names));
    }
    if (value != NULL && job->flags & (WANT_RESULT | CALL_FUNCTION)) {
        PyObject *described = PyObject_CallMethod(boot, "describe", "Oi", value, (int)(job->flags & CALL_FUNCTION));
        Py_XDECREF(described);
        if (described == NULL) {
            Py_CLEAR(value);
        }
    }
    return value;
}

/* Exit status for `SystemExit`, as CPython's own main has it. */
static int exit_status(PyObject *error) {
    PyObject *code = PyObject_GetAttrString(error, "code");
    if (code == NULL) {
        PyErr_Clear();
        return 1;
    }
    if (code == Py_None) {
        return 0;
    }
    if (PyLong_Check(code)) {
        int status = (int)(PyLong_AsLong(code) & 0xff);
        if (PyErr_Occurred()) {
            PyErr_Clear();
            status = 255; /* -1, as C's exit() would cut it */
        }
        return status;
    }
    PyObject *out = PySys_GetObject("stderr");
    if (out == NULL || out == Py_None || PyFile_WriteObject(code, out, Py_PRINT_RAW) < 0) {
        PyErr_Clear();
    } else {
        PyFile_WriteString("\n", out);
    }
    PyErr_Clear();
    return 1;
}

/* Prints the pending exception and tells the host of it; returns the exit status. */
static int handle_exception(PyObject *path) {
    if (PyErr_ExceptionMatches(PyExc_SystemExit)) {
        PyObject *error = PyErr_GetRaisedException();
        int status = exit_status(error);
        Py_DECREF(error);
        return status;
    }
    int interrupted = PyErr_ExceptionMatches(PyExc_KeyboardInterrupt);
    PyObject *error = PyErr_GetRaisedException();
    PyObject *told = PyObject_CallMethod(boot, "uncaught", "OO", error, path);
    if (told == NULL) {
        PyErr_Clear();
    }
    Py_XDECREF(told);
    PyErr_SetRaisedException(error);
    PyErr_Print();
    return interrupted ? 130 : 1;
}

static int flush(const char *name) {
    PyObject *file = PySys_GetObject(name);
    if (file == NULL || file == Py_None) {
        return 0;
    }
    PyObject *closed = PyObject_GetAttr(file, &_Py_ID(closed));
    int is_closed = closed != NULL && PyObject_IsTrue(closed) == 1;
    Py_XDECREF(closed);
    PyErr_Clear();
    if (is_closed) {
        return 0;
    }
    PyObject *done = PyObject_CallMethodNoArgs(file, &_Py_ID(flush));
    if (done == NULL) {
        PyErr_FormatUnraisable("Exception ignored while flushing sys.%s", name);
        return -1;
    }
    Py_DECREF(done);
    return 0;
}

/* Drops the modules that the job brought, as the end of the interpreter does: objects die, and their __del__ runs, when
 * nothing refers to them, else by collection; what is still there then is set to None. */
static void forget_modules(void) {
    PyObject *modules = PyImport_GetModuleDict(), *name, *brought;
    PyObject *names = PyList_New(0), *alive = PyList_New(0);
    Py_ssize_t at = modules_end;
    while (names != NULL && PyDict_Next(modules, &at, &name, &brought)) {
        PyObject *dict = PyModule_Check(brought) ? PyModule_GetDict(brought) : NULL;
        PyObject *file = dict == NULL ? NULL : PyDict_GetItemString(dict, "__file__");
        const char *path = file != NULL && PyUnicode_Check(file) ? PyUnicode_AsUTF8(file) : NULL;
        if (path != NULL && strncmp(path, "/usr/", 5) != 0) {
            PyObject *reference = PyWeakref_NewRef(brought, NULL);
            PyList_Append(names, name);
            if (reference != NULL) {
                PyList_Append(alive, reference);
                Py_DECREF(reference);
            }
        }
    }
    PyErr_Clear();
    if (PyGC_IsEnabled() && (speaks_of_ends || (names != NULL && PyList_GET_SIZE(names) > 1))) {
        /* Before any module goes, as in Py_FinalizeEx: the order of finalisers follows from it. */
        PyGC_Collect();
    }
    for (Py_ssize_t i = 0; names != NULL && i < PyList_GET_SIZE(names); i++) {
        PyDict_DelItem(modules, PyList_GET_ITEM(names, i));
    }
    PyErr_Clear();
    PyGC_Collect();
    for (Py_ssize_t i = 0; alive != NULL && i < PyList_GET_SIZE(alive); i++) {
        PyObject *survivor = NULL;
        if (PyWeakref_GetRef(PyList_GET_ITEM(alive, i), &survivor) == 1) {
            guest_clear_names(PyModule_GetDict(survivor));
            Py_DECREF(survivor);
        }
    }
    PyErr_Clear();
}

/* Returns whether output was lost. */
static int leave(void) {
    int lost = flush("stdout");
    flush("stderr");
    forget_modules();
    lost |= flush("stdout");
    flush("__stdout__");
    flush("stderr");
    flush("__stderr__");
    return lost;
}

/* What a program can see of Py_FinalizeEx. There are no threads to wait for. */
static int finish(int status) {
    _PyAtExit_Call(_PyInterpreterState_GET());
    /* The module's own handler of last resort has nothing to flush. */
    if (PyList_GET_SIZE(log_handlers) > 1) {
        PyObject *done = PyObject_CallMethod(boot, "shut_logging_down", NULL);
        if (done == NULL) {
            PyErr_FormatUnraisable("Exception ignored in atexit callback");
        }
        Py_XDECREF(done);
    }
    return leave() ? 120 : status;
}

/* A call of a session: its names stay as they are, whatever it comes to. */
static int run_call(const struct job *job) {
    PyErr_Clear();
    PyObject *value = PyObject_CallMethod(session, "call", "OOOOi", job->source, job->path, session_names, job->tools,
                                          (int)(job->flags & NEW_STDIN));
    if (value != NULL && job->flags & WANT_RESULT) {
        Py_XSETREF(value, PyObject_CallMethod(boot, "describe", "Oi", value, 0));
    }
    int status = value == NULL ? handle_exception(job->path) : 0;
    Py_XDECREF(value);
    int lost = flush("stdout");
    flush("stderr");
    return lost ? 120 : status;
}

/* What is asked about a session, as JSON. */
static int answer(const struct job *job) {
    PyObject *text = PyObject_CallMethod(session, "answer", "OOO", session_names, job->function, job->arguments);
    if (text == NULL) {
        return handle_exception(job->path);
    }
    report(REPORT_RESULT_JSON, text);
    Py_DECREF(text);
    return 0;
}

/* Room for the job that the host writes and `pyexec_run` reads. */
EXPORT("pyexec_allocate") void *pyexec_allocate(size_t size) { return malloc(size); }

EXPORT("pyexec_run") int pyexec_run(const char *bytes) {
    struct reader reader = {bytes};
    struct job job;
    PyObject *names = NULL;
    int ready = read_job(&reader, &job) == 0 && (names = session_names ? session_names : become_fresh(&job)) != NULL;
    free((void *)bytes);
    if (ready && job.flags & (LIVES_ON | ASK)) {
        if (session_names == NULL) {
            session_names = Py_NewRef(names);
        }
        int ended = job.flags & ASK ? answer(&job) : run_call(&job);
        release_job(&job);
        return ended;
    }
    int status = 0;
    PyObject *value = ready ? run_job(&job, names) : NULL;
    if (value == NULL) {
        status = handle_exception(job.path);
    }
    Py_XDECREF(value);
    return finish(status);
}

/* Words that the host writes to while the guest is stopped in a call of its, so that SIGINT is seen at the next bytecode: the
 * address of each, and the bits to set. */
EXPORT("pyexec_interrupt") const uint32_t *pyexec_interrupt(void) {
    static uint32_t words[3][2];
    PyThreadState *state = PyInterpreterState_ThreadHead(PyInterpreterState_Main());
    words[0][0] = (uint32_t)(uintptr_t)&_PyRuntime.signals.handlers[SIGINT].tripped;
    words[0][1] = 1;
    words[1][0] = (uint32_t)(uintptr_t)&_PyRuntime.signals.is_tripped;
    words[1][1] = 1;
    words[2][0] = (uint32_t)(uintptr_t)&state->eval_breaker;
    words[2][1] = _PY_SIGNALS_PENDING_BIT;
    return &words[0][0];
}

/* For a job that was stopped: what it had printed but not flushed. May trap; nothing depends on it. */
EXPORT("pyexec_flush") void pyexec_flush(void) {
    if (PyThreadState_GetUnchecked() == NULL) {
        PyThreadState_Swap(PyInterpreterState_ThreadHead(PyInterpreterState_Main()));
    }
    static const char *const names[][2] = {{"stdout", "__stdout__"}, {"stderr", "__stderr__"}};
    for (size_t i = 0; i < Py_ARRAY_LENGTH(names); i++) {
        PyObject *file = PySys_GetObject(names[i][0]);
        if (file != NULL && file == PySys_GetObject(names[i][1])) {
            PyObject *done = PyObject_CallMethodNoArgs(file, &_Py_ID(flush));
            Py_XDECREF(done);
        }
    }
}

/* For a job that was stopped: writes where it was to stderr, innermost frame first. Only reads. */
EXPORT("pyexec_where") void pyexec_where(void) { 
    /* A job that was stopped asleep has no current thread state. */
    PyThreadState *state = PyInterpreterState_ThreadHead(PyInterpreterState_Main());
    if (state != NULL) {
        _Py_DumpTraceback(STDERR_FILENO, state);
    }
 }

/* ---- before the snapshot ---- */

static void fail(const char *what) {
    fprintf(stderr, "pyexec: %s\n", what);
    if (PyErr_Occurred()) {
        PyErr_Print();
    }
    abort();
}

static void check(PyStatus status) {
    if (PyStatus_Exception(status)) {
        fail(status.err_msg ? status.err_msg : "the interpreter did not start");
    }
}

/* Often enough that bytecode stops to specialise itself. */
#define REHEARSALS 100

/* Plays a job, so that what jobs write to once is written before the snapshot: their copies then differ from it in few
 * pages. */
static void rehearse(void) {
    struct job job = {
        .path = PyUnicode_FromString(PROJECT "/main.py"),
        .source = PyObject_GetAttrString(boot, "REHEARSAL"),
        .argv = Py_BuildValue("[s]", "main.py"),
        .env = PyList_New(0),
        .shadowed = PyList_New(0),
    };
    for (int i = 0; i < REHEARSALS; i++) {
        PyObject *names = become_fresh(&job);
        PyObject *value = names == NULL ? NULL : run_job(&job, names);
        if (value == NULL) {
            fail("the rehearsal failed");
        }
        Py_DECREF(value);
        leave();
    }
}

/* Makes what there is part of every copy for good. */
static void settle(void) {
    PyObject *name, *last;
    modules_end = 0;
    while (PyDict_Next(PyImport_GetModuleDict(), &modules_end, &name, &last)) {
    }
    rehearse();
    PyObject *done = PyObject_CallMethod(boot, "freeze", NULL);
    if (done == NULL) {
        fail("freezing the snapshot failed");
    }
    Py_DECREF(done);
    /* Also empties the free lists, whose objects lie anywhere. */
    PyGC_Collect();
    _PyObject_StartNewArenas();
    malloc_start_anew();
}

/* What a container's process has; `src/executor/docker/hardening.rs` has the same. */
static const char *const ENVIRONMENT[][2] = {
    {"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
    {"HOSTNAME", "pyexec"},
    {"HOME", "/tmp"},
    {"LANG", "C.UTF-8"},
    {"PWD", PROJECT},
    {"USER", "user"},
};

EXPORT("pyexec_prepare") void pyexec_prepare(void) {
    for (size_t i = 0; i < Py_ARRAY_LENGTH(ENVIRONMENT); i++) {
        if (setenv(ENVIRONMENT[i][0], ENVIRONMENT[i][1], 1) != 0) {
            fail("no memory");
        }
    }
    if (PyImport_AppendInittab("_pyexec", init_module) < 0) {
        fail("no memory");
    }
    PyPreConfig before;
    PyPreConfig_InitPythonConfig(&before);
    /* The encoding is UTF-8 because the locale is C.UTF-8, as in a container. */
    before.utf8_mode = 0;
    before.coerce_c_locale = 0;
    check(Py_PreInitialize(&before));

    PyConfig config;
    PyConfig_InitPythonConfig(&config);
    config.parse_argv = 0;
    config.module_search_paths_set = 1;
    check(PyConfig_SetString(&config, &config.program_name, L"/usr/bin/python3"));
    check(PyConfig_SetString(&config, &config.executable, L"/usr/bin/python3"));
    check(PyConfig_SetString(&config, &config.base_executable, L"/usr/bin/python3"));
    check(PyConfig_SetString(&config, &config.prefix, L"/usr"));
    check(PyConfig_SetString(&config, &config.exec_prefix, L"/usr"));
    check(PyConfig_SetString(&config, &config.base_prefix, L"/usr"));
    check(PyConfig_SetString(&config, &config.base_exec_prefix, L"/usr"));
    check(PyConfig_SetString(&config, &config.stdlib_dir, L"/usr/lib/python3.14"));
    check(PyWideStringList_Append(&config.module_search_paths, L"/usr/lib/python3.14"));
    check(PyWideStringList_Append(&config.orig_argv, L"python3"));
    check(PyWideStringList_Append(&config.orig_argv, L"main.py"));
    check(Py_InitializeFromConfig(&config));
    PyConfig_Clear(&config);
    signals_started();
    /* What `python main.py` would have found; error messages about shadowed modules depend on it. */
    ((PyConfig *)_PyInterpreterState_GetConfig(_PyInterpreterState_GET()))->sys_path_0 = _PyMem_RawWcsdup(L"/work");

    if (chdir(PROJECT) != 0) {
        fail("no project folder");
    }
    builtins = PyImport_ImportModule("builtins");
    interpreter_name = PyUnicode_FromString("python3");
    boot = PyImport_ImportModule("_pyexec_boot");
    cell = boot == NULL ? NULL : PyObject_GetAttrString(boot, "_pyexec_cell");
    session = boot == NULL ? NULL : PyObject_GetAttrString(boot, "_pyexec_session");
    PyObject *done = cell == NULL || session == NULL ? NULL : PyObject_CallMethod(boot, "prepare", NULL);
    loader_type = boot == NULL ? NULL : PyObject_GetAttrString(boot, "SourceFileLoader");
    log_handlers = boot == NULL ? NULL : PyObject_GetAttrString(boot, "log_handlers");
    if (done == NULL || loader_type == NULL || log_handlers == NULL || !PyList_Check(log_handlers)) {
        fail("preparing the snapshot failed");
    }
    Py_DECREF(done);
    settle();
}

/* In a copy: imports modules, so that what is snapshotted next has them. Names are written as those of a job. */
EXPORT("pyexec_bake") void pyexec_bake(const char *bytes) {
    struct reader reader = {bytes};
    PyObject *names = read_texts(&reader);
    free((void *)bytes);
    PyObject *baker = names == NULL ? NULL : PyImport_ImportModule("_pyexec_bake");
    PyObject *done = baker == NULL ? NULL : PyObject_CallMethod(baker, "bake", "O", names);
    if (done == NULL) {
        fail("importing modules for a snapshot failed");
    }
    Py_DECREF(done);
    Py_DECREF(baker);
    Py_DECREF(names);
    settle();
}
