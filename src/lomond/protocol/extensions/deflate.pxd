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
    cdef object _error
    cdef bint _has_begun
    cdef bint _keeps
    cdef Py_ssize_t _made
    cdef object _new
    cdef object _stream

    @cython.locals(compression=Compression, inflated=bytes, made=Py_ssize_t, size=Py_ssize_t)
    cpdef bytes whole(self, bytes data, Py_ssize_t start, Py_ssize_t end, Py_ssize_t limit)

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
