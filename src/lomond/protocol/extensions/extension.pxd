cdef class Incoming:
    cdef public str noun

    cpdef bytes whole(self, bytes data, Py_ssize_t start, Py_ssize_t end, Py_ssize_t limit)
    cpdef put(self, data)
    cpdef end(self)
    cpdef bytes take(self, Py_ssize_t most, Py_ssize_t limit)
