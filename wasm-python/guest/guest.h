#ifndef PYEXEC_GUEST_H
#define PYEXEC_GUEST_H
#include <Python.h>

/* Makes every object reachable from the list immortal, so that using it writes no reference count into its page. */
int guest_immortalize(PyObject *objects);

/* Sets the names of a module to None in the order of CPython's finalisation. */
void guest_clear_names(PyObject *names);

#endif
