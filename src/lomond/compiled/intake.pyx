# cython: language_level=3
"""Reads of a stream that fills them: what io/intake.py says, into one piece of memory.

A large piece that is made anew for each read costs more than the read: the system has to find
zeroed pages for it.
"""

from cpython.buffer cimport PyBuffer_FillInfo
from cpython.object cimport PyObject
from cpython.ref cimport Py_XDECREF

cdef extern from "Python.h":
    PyObject *_new_bytes "PyBytes_FromStringAndSize"(const char *text, Py_ssize_t size) except NULL
    char *_start "PyBytes_AS_STRING"(PyObject *bytes)
    Py_ssize_t _references "Py_REFCNT"(PyObject *o)
    void _set_size "Py_SET_SIZE"(PyObject *o, Py_ssize_t size)

cdef Py_ssize_t _MOST = 512 * 1024  # bytes


cdef extern from *:
    """
    static void lomond_forget_hash(PyObject *bytes) {
    #if PY_VERSION_HEX < 0x030B0000
        ((PyBytesObject *)bytes)->ob_shash = -1;
    #else
        _Py_COMP_DIAG_PUSH
        _Py_COMP_DIAG_IGNORE_DEPR_DECLS
        ((PyBytesObject *)bytes)->ob_shash = -1;
        _Py_COMP_DIAG_POP
    #endif
    }
    """
    void _forget_hash "lomond_forget_hash"(PyObject *bytes)


cdef class Intake:
    """Reads much at once.

    Arguments:
        sock: What is read.
    """

    # `_data` is a bytes object that is written and resized while nobody else has it.

    def __cinit__(self, sock):
        self._recv_into = sock.recv_into
        self._data = NULL
        self._room = 0

    def __dealloc__(self):
        self._let_go()

    cdef _let_go(self):
        cdef PyObject *data = <PyObject *>self._data
        self._data = NULL
        Py_XDECREF(data)

    def __getbuffer__(self, Py_buffer *view, int flags):
        PyBuffer_FillInfo(view, self, _start(<PyObject *>self._data), self._room, 0, flags)

    cpdef bytes receive(self, Py_ssize_t size, int flags):
        """What came; raises as ``recv``. Let go of it before the next call, so that its memory can
        be used again.
        """
        cdef Py_ssize_t count
        cdef PyObject *data = <PyObject *>self._data
        if data == NULL or _references(data) != 1:
            self._let_go()
            data = _new_bytes(NULL, _MOST)
            self._data = <void *>data
        self._room = size = min(size, _MOST)
        count = self._recv_into(self, size, flags)
        if not 0 <= count <= size:
            raise ValueError("more was read than there is room")
        _forget_hash(data)
        _set_size(data, count)
        _start(data)[count] = 0
        return <bytes>data

    cpdef release(self):
        """The stream has paused: keep no memory."""
        self._let_go()
