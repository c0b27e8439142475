cimport cython

from lomond.system.clock cimport monotonic
from lomond.io.inward cimport Inward
from lomond.system.pipe cimport Pipe

cdef double _NEVER
cdef double _LAST_READ

cdef class Outward(Inward):
    @cython.locals(pipe=Pipe)
    cpdef enqueue(self)
    @cython.locals(data=bytes, taken=Py_ssize_t)
    cpdef Py_ssize_t hand_over(self, Pipe pipe) except? -1
    cpdef enqueue_quietly(self)
    cpdef flush(self)
    cpdef write_quietly(self)
    @cython.locals(pipe=Pipe)
    cpdef write_some(self)
    cpdef _empty_queue(self, Pipe pipe)
    @cython.locals(taken=bint, is_watched=bint)
    cpdef bint write_once(self, Pipe pipe) except *
    cpdef check(self)
