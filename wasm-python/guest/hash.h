#ifndef PYEXEC_HASH_H
#define PYEXEC_HASH_H
#include <Python.h>
/* The one name of a hash function that has several; None when there is none such. */
PyObject *hash_name(PyObject *self, PyObject *name);
/* A hash object for one of those in digest.c. */
PyObject *hash_new(PyObject *self, PyObject *args, PyObject *kwargs);
PyObject *hash_pbkdf2_hmac(PyObject *self, PyObject *args, PyObject *kwargs);
PyObject *hash_scrypt(PyObject *self, PyObject *args, PyObject *kwargs);
#endif
