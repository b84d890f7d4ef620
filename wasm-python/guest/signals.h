#ifndef PYEXEC_SIGNALS_H
#define PYEXEC_SIGNALS_H
#include <Python.h>

/* From here on, handlers that Linux does not let anybody set are refused. */
void signals_started(void);

PyObject *signals_kill(PyObject *self, PyObject *args);
PyObject *signals_pthread_kill(PyObject *self, PyObject *args);
PyObject *signals_mask(PyObject *self, PyObject *args);
PyObject *signals_pending(PyObject *self, PyObject *unused);
PyObject *signals_take(PyObject *self, PyObject *set);
PyObject *signals_dump_at(PyObject *self, PyObject *args);
PyObject *signals_abort(PyObject *self, PyObject *unused);
#endif
