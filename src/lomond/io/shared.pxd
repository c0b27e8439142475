cimport cython

from lomond.system.clock cimport monotonic
from lomond.io.guarded cimport Guarded
from lomond.system.lock cimport Lock
from lomond.system.pipe cimport Pipe

cdef double _NEVER

cdef class Shared(Guarded):
    cdef bint _is_freed
    cdef list _leased
    cdef bint _may_wait
    cdef object _waiter
    cdef public bint is_idle
    cdef public object thread

    cpdef bint receive(self, bint waits=?) except *
    cpdef _came(self, bytes data, Py_ssize_t count, failure, bint is_ahead, double now, double wall)
    cpdef next_event(self, double now)
    @cython.locals(until=double, came=bint)
    cpdef bint read(self) except *
    cpdef bint read_more(self) except *
    cpdef bint take_calmly(self) except *
    cpdef read_or_tick(self)
    @cython.locals(pipe=Pipe, seconds=double, readable=bint)
    cpdef _wait_and_read(self)
    @cython.locals(pipe=Pipe)
    cpdef bint _expect(self) except *
