cimport cython

from lomond.io.layer cimport TLSLayer
from lomond.io.wire cimport Wire

cdef int _NOW
cdef Py_ssize_t _LARGE
cdef Py_ssize_t _MEDIUM
cdef Py_ssize_t _READ_SIZE

cdef class Transport:
    cdef Py_ssize_t _at_once
    cdef list _layers
    cdef Wire _wire
    cdef public bint has_tls
    cdef public bint is_full
    cdef public bint may_wait
    cdef public list queue
    cdef public object queued
    cdef public bint sends_at_once
    cdef public object sock
    cdef public bint write_ended
    cdef public object written

    @cython.locals(layer=TLSLayer, taken=Py_ssize_t)
    cpdef bint send(self, bytes data) except *
    @cython.locals(layer=TLSLayer)
    cpdef enqueue(self, bytes data)
    @cython.locals(taken=Py_ssize_t)
    cpdef bint write(self) except *
    cpdef bytes receive(self, bint waits=?)
    @cython.locals(data=bytes)
    cpdef bytes receive_much(self, bint waits)
    cpdef let_go(self)
    cpdef progress(self)
    @cython.locals(count=Py_ssize_t)
    cpdef Py_ssize_t receive_into(self, room, bint waits) except -2
    @cython.locals(layer=TLSLayer, below=TLSLayer)
    cpdef feed(self, bytes data)
    cpdef TLSLayer top(self)
