cimport cython

from lomond.compression cimport Compression
from lomond.protocol.buffer cimport joined
from lomond.protocol.extensions.extension cimport Incoming

cdef object _AT_MOST
cdef int _DEFLATED
cdef bytes _EMPTY
cdef Py_ssize_t _FIRST_STEP
cdef Py_ssize_t _SLACK
cdef Py_ssize_t _SLACK_OF_FRAGMENT
cdef Py_ssize_t _STEP
cdef object _SYNC_FLUSH
cdef bytes _TAIL

cdef class Inflater(Incoming):
    cdef object _bits
    cdef Compression _compression
    cdef object _data
    cdef object _error
    cdef bint _has_begun
    cdef bint _is_more
    cdef bint _keeps
    cdef Py_ssize_t _made
    cdef object _new
    cdef Py_ssize_t _ours
    cdef Py_ssize_t _position
    cdef Py_ssize_t _step
    cdef object _stream

    @cython.locals(compression=Compression, inflated=bytes, made=Py_ssize_t, size=Py_ssize_t)
    cpdef bytes whole(self, bytes data, Py_ssize_t start, Py_ssize_t end, Py_ssize_t limit)
    cpdef put(self, data)
    cpdef end(self)
    @cython.locals(
        asked=Py_ssize_t, inflated=bytes, position=Py_ssize_t, size=Py_ssize_t, step=Py_ssize_t
    )
    cpdef bytes take(self, Py_ssize_t most, Py_ssize_t limit)
    cdef bytes _rest(self, Py_ssize_t limit)
    cdef bytes _inflate(self, data, Py_ssize_t asked)
    cdef Py_ssize_t _unused(self, bytes inflated, Py_ssize_t limit) except -1
    cdef _end_message(self)

cdef class Deflater:
    cdef Compression _compression
    cdef bint _keeps
    cdef Py_ssize_t _min_size
    cdef object _new
    cdef object _options
    cdef object _stream

    @cython.locals(changed=Py_ssize_t, compression=Compression, data=bytes, made=bytes, size=Py_ssize_t)
    cpdef bytes change(self, bytes payload, bint compress)
    cdef _begun(self)
