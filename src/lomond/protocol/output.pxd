cimport cython

from lomond.protocol.mask cimport masked_frame

cdef int CLOSE
cdef int CONTINUATION
cdef int FIN
cdef int OPCODE_BITS
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
    cdef tuple _changed
    cdef list _frames
    cdef bint _is_text
    cdef int _opcode
    cdef MaskingKeys _keys
    cdef bytes _only
    cdef tuple _outgoing
    cdef object _pong
    cdef bytes _request
    cdef public bint has_backlog
    cdef public object held_size
    cdef public bint is_held
    cdef public bint is_ready
    cdef public bint is_streaming
    cdef public long long offset
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
    cpdef begin(self, int opcode, bint compress)
    @cython.locals(frame=bytes, opcode=int, size=Py_ssize_t)
    cpdef fragment(self, payload, bint is_last)
    cpdef bint withdraw(self) except *
    cpdef pong(self, payload)
