cdef class MaskingKeys:
    cdef bytes _batch
    cdef Py_ssize_t _next
    cdef object _random_bytes

    cpdef bytes take(self)
