cdef extern from "pythread.h":
    ctypedef void *PyThread_type_lock

cdef class Lock:
    cdef PyThread_type_lock _lock
    cdef unsigned long _owner
    cdef long _count
    cdef object _other

    cdef bint _wait(self, double timeout) except -1

    cpdef bint acquire(self, bint blocking=?, double timeout=?) except -1
    cpdef release(self)
    cpdef bint _is_owned(self) except -1
