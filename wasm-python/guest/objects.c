#include "guest.h"

#include <internal/pycore_object.h>
#include <internal/pycore_code.h>

/* Objects found but not yet looked into. */
struct pending {
    PyObject **items;
    size_t count, room;
    int failed;
};

static int visit(PyObject *object, void *arg) {
    struct pending *pending = arg;
    if (object == NULL || _Py_IsImmortal(object)) {
        return 0;
    }
    if (pending->count == pending->room) {
        size_t room = pending->room ? pending->room * 2 : 1024;
        PyObject **items = PyMem_RawRealloc(pending->items, room * sizeof *items);
        if (items == NULL) {
            pending->failed = 1;
            return -1;
        }
        pending->items = items;
        pending->room = room;
    }
    _Py_SetImmortalUntracked(object);
    pending->items[pending->count++] = object;
    return 0;
}

int guest_immortalize(PyObject *objects) {
    struct pending pending = {0};
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(objects); i++) {
        visit(PyList_GET_ITEM(objects, i), &pending);
    }
    while (pending.count > 0 && !pending.failed) {
        PyObject *object = pending.items[--pending.count];
        if (PyCode_Check(object)) {
            /* Code objects do not take part in collection and have no tp_traverse. */
            PyCodeObject *code = (PyCodeObject *)object;
            PyObject *parts[] = {code->co_consts, code->co_names, code->co_localsplusnames, code->co_localspluskinds,
                                 code->co_filename, code->co_name, code->co_qualname, code->co_linetable,
                                 code->co_exceptiontable};
            for (size_t i = 0; i < Py_ARRAY_LENGTH(parts); i++) {
                visit(parts[i], &pending);
            }
        } else if (Py_TYPE(object)->tp_traverse != NULL) {
            Py_TYPE(object)->tp_traverse(object, visit, &pending);
        }
    }
    PyMem_RawFree(pending.items);
    if (pending.failed) {
        PyErr_NoMemory();
        return -1;
    }
    return 0;
}

/* As _PyModule_ClearDict: names with one leading underscore first, then all others but __builtins__. */
void guest_clear_names(PyObject *names) {
    for (int underscored = 1; underscored >= 0; underscored--) {
        PyObject *keys = PyDict_Keys(names);
        for (Py_ssize_t i = 0; keys != NULL && i < PyList_GET_SIZE(keys); i++) {
            PyObject *key = PyList_GET_ITEM(keys, i);
            const char *name = PyUnicode_Check(key) ? PyUnicode_AsUTF8(key) : NULL;
            if (name == NULL) {
                continue;
            }
            int single = name[0] == '_' && name[1] != '_';
            if (single == underscored && strcmp(name, "__builtins__") != 0) {
                PyDict_SetItem(names, key, Py_None);
            }
        }
        Py_XDECREF(keys);
        PyErr_Clear();
    }
}
