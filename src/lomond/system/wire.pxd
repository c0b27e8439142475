cdef class Wire:
    cdef object _fileno
    cdef object _other
    cdef void *_data
    cdef Py_ssize_t _size
    cdef public bint keeps
    cdef public Py_ssize_t most

    cpdef bytes receive(self, Py_ssize_t size, bint waits)
    cpdef bytes receive_apart(self, Py_ssize_t size, bint waits)
    cpdef Py_ssize_t receive_into(self, room, bint waits) except -2
    cpdef Py_ssize_t send(self, data) except -1
    cpdef release(self)
