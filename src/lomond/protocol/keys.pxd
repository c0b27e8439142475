cimport cython

cdef class MaskingKeys:
    cdef bytes _batch
    cdef Py_ssize_t _next
    cdef object _random_bytes

    @cython.locals(start=Py_ssize_t, raw="const char *")
    cpdef bytes take(self)
