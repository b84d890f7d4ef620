#ifndef PYEXEC_HASH_H
#define PYEXEC_HASH_H
#include <Python.h>
PyObject *hash_pbkdf2_hmac(PyObject *self, PyObject *args, PyObject *kwargs);
PyObject *hash_scrypt(PyObject *self, PyObject *args, PyObject *kwargs);
#endif
