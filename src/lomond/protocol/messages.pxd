cimport cython

from lomond.protocol.buffer cimport Buffer
from lomond.protocol.extensions.extension cimport Incoming

cdef class Message:
    cdef Buffer _buffer
    cdef Py_ssize_t _checked
    cdef Py_ssize_t _limit
    cdef public object announced  # may pass what a C size holds
    cdef public Py_ssize_t fragments
    cdef public Incoming incoming
    cdef public bint is_text

    cpdef Py_ssize_t wants(self, Py_ssize_t count) except -1
    cpdef add_from(self, bytes data, Py_ssize_t start, Py_ssize_t end)
    cpdef add(self, data)
    cpdef end(self)
    @cython.locals(incoming=Incoming, data=bytes)
    cdef _take_all(self)
    @cython.locals(rest=bytes)
    cpdef check(self)
    cpdef Py_ssize_t size(self)
    cpdef str text(self)
    cpdef bytes data(self)
    cpdef room(self, remaining)
    cpdef filled(self, Py_ssize_t count)
