from lomond.protocol.connection cimport Connection
from lomond.io.lock cimport Lock
from lomond.protocol.output cimport Output
from lomond.io.transport cimport Transport

cdef double _NOT_CALM

cdef class Link:
    cdef object __weakref__
    cdef list _reports
    cdef object _traced
    cdef public object born
    cdef public double calm_until
    cdef public Connection connection
    cdef public bint counts_turns
    cdef public bint is_clear
    cdef public bint is_idle
    cdef public bint is_in_use
    cdef public bint is_over
    cdef public object is_owned
    cdef public bint is_traced
    cdef public bint is_wanted
    cdef public Lock lock
    cdef public Output output
    cdef public object session
    cdef public Transport transport
    cdef public object wakeup

    cpdef bint is_foreign(self)
    cpdef look_again(self)
    cpdef wake(self)
    cpdef report(self)
    cpdef enqueue_quietly(self)
