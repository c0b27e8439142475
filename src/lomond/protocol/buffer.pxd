cpdef bytes joined(bytes data, Py_ssize_t start, Py_ssize_t end, bytes tail)

cdef class Buffer:
    cdef public Py_ssize_t size
    cdef void *_data
    cdef Py_ssize_t _capacity
    cdef Py_ssize_t _most
    cdef int _exports

    cdef int _resize(self, Py_ssize_t capacity) except -1
    cdef char *_bytes(self) except NULL
    cpdef room(self, most)
    cpdef filled(self, Py_ssize_t count)
    cpdef add(self, data)
    cpdef Py_ssize_t count_utf8(self, Py_ssize_t start) except -1
    cpdef tuple beginning(self, Py_ssize_t size)
    cpdef bytes tail(self, Py_ssize_t start)
    cpdef str text(self)
    cpdef bytes data(self)
