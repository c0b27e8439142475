cimport cython

cdef object _BINARY
cdef object _TEXT
cdef Py_ssize_t _HEAD
cdef Py_ssize_t _MOST

cdef class Batches:
    cdef object _dumps
    cdef object _error
    cdef tuple _kept
    cdef object _messages

    @cython.locals(batch=list, frame=tuple, kept=tuple, left=Py_ssize_t, payload=bytes)
    cpdef list next_batch(self)
