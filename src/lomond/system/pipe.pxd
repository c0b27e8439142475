cimport cython

from lomond.system.layers cimport Layer
from lomond.system.wire cimport Wire

cdef int _NOW
cdef Py_ssize_t _READ_SIZE

cdef class Pipe:
    cdef bint _is_closed
    cdef public long long handed
    cdef public list layers
    cdef public bint may_wait
    cdef public list queue
    cdef public object queued
    cdef public long long received
    cdef public bint sends_at_once
    cdef public object sock
    cdef public Wire wire
    cdef public bint write_ended
    cdef public object written

    @cython.locals(layers=list, layer=Layer, number=Py_ssize_t)
    cpdef bytes down(self, bytes data)
    cpdef enqueue(self, bytes data)
    cpdef keep(self, bytes data, Py_ssize_t taken)
    @cython.locals(taken=Py_ssize_t)
    cpdef bint write(self) except *
    cpdef progress(self)
    @cython.locals(layers=list, layer=Layer, below=Layer, number=Py_ssize_t)
    cpdef feed(self, bytes data)
    cpdef Layer top(self)
