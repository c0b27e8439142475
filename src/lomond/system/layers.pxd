cimport cython

from lomond.protocol.buffer cimport Buffer

cdef class Layer:
    cdef bytes _incoming_bytes
    cdef bint _is_at_end
    cdef bytes _outgoing_bytes
    cdef public bint has_ended

    cpdef feed(self, bytes data)
    cpdef bint has_more(self)
    cpdef read(self)
    cpdef read_all(self)
    cpdef Py_ssize_t read_into(self, room) except -1
    cpdef write(self, bytes data)
    cpdef bytes take(self)

cdef class TLSLayer(Layer):
    cdef object _decrypt
    cdef object _encrypt
    cdef object _failure
    cdef bint _fills
    cdef object _incoming
    cdef bint _is_partly_read
    cdef object _outgoing
    cdef object _put
    cdef object _take
    cdef object _tls
    cdef public bint is_users

    cpdef feed(self, bytes data)
    cpdef bint has_more(self)
    cpdef read(self)
    @cython.locals(buffer=Buffer, left=Py_ssize_t, count=Py_ssize_t)
    cpdef read_all(self)
    cpdef Py_ssize_t read_into(self, room) except -1
    @cython.locals(done=Py_ssize_t)
    cpdef write(self, bytes data)
    cpdef bytes take(self)
