cdef class Intake:
    cdef object _recv_into
    cdef void *_data
    cdef Py_ssize_t _room

    cdef _let_go(self)

    cpdef bytes receive(self, Py_ssize_t size, int flags)
    cpdef release(self)
