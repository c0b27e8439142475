cimport cython

from lomond.system.clock cimport monotonic
from lomond.io.outward cimport Outward
from lomond.system.need cimport Need
from lomond.system.pipe cimport Pipe

cdef int PING
cdef double _NEVER

cdef class Exchange(Outward):
    @cython.locals(pipe=Pipe, target=Py_ssize_t, before="long long", size=Py_ssize_t)
    cpdef Py_ssize_t post(self, int opcode, payload, bint compress=?) except? -1
    @cython.locals(pipe=Pipe, target=Py_ssize_t, before="long long", size=Py_ssize_t)
    cpdef Py_ssize_t post_by(self, put) except? -1
    cpdef catch_up(self)
    cpdef next_event(self, double now)
    @cython.locals(pipe=Pipe)
    cpdef need(self)
    @cython.locals(until=double, now=double, need=Need)
    cpdef calm_need(self)
    @cython.locals(readable=bint)
    cpdef look(self, need)
    @cython.locals(pipe=Pipe)
    cpdef bint _prepare(self) except *
    @cython.locals(pipe=Pipe, is_calm=bint)
    cpdef bint _expect(self) except *
    @cython.locals(now=double)
    cpdef _judge(self, bint readable, looked_at)
