cdef extern from "pythread.h":
    ctypedef void *PyThread_type_lock

cdef class Turn:
    cdef PyThread_type_lock _lock
    cdef bint _is_taken

    cdef bint _wait(self, double timeout) except -1

    cpdef bint acquire(self, bint blocking=?, double timeout=?) except -1
    cpdef release(self)

cdef class Lock:
    cdef Turn _turn
    cdef unsigned long _owner
    cdef long _count

    cpdef bint acquire(self, bint blocking=?, double timeout=?) except -1
    cpdef release(self)
    cpdef bint _is_owned(self)
