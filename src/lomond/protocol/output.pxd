cimport cython

from lomond.protocol.mask cimport masked_frame

cdef int CLOSE
cdef int FIN
cdef int PING
cdef int PONG
cdef int TEXT

cdef class MaskingKeys:
    cdef bytes _batch
    cdef Py_ssize_t _next
    cdef object _random_bytes

    @cython.locals(start=Py_ssize_t, raw="const char *")
    cpdef bytes take(self)

cdef class Output:
    cdef list _frames
    cdef MaskingKeys _keys
    cdef bytes _only
    cdef tuple _outgoing
    cdef object _pong
    cdef bytes _request
    cdef public bint has_backlog
    cdef public object held_size
    cdef public bint is_held
    cdef public bint is_ready
    cdef public Py_ssize_t largest
    cdef public long long pending
    cdef public Py_ssize_t binaries
    cdef public Py_ssize_t parts
    cdef public Py_ssize_t pings
    cdef public Py_ssize_t pongs
    cdef public long long sent
    cdef public Py_ssize_t texts

    @cython.locals(frame=bytes, size=Py_ssize_t)
    cpdef put(self, int opcode, payload, bint compress=?)
    @cython.locals(only=bytes)
    cpdef bytes take(self)
    cpdef pong(self, payload)
