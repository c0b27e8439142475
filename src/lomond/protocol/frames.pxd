cimport cython

from lomond.protocol.mask cimport masked_frame

cdef Py_ssize_t _LARGEST
cdef int _LENGTH_BITS

cpdef bytes build(int opcode, payload, bytes key)
cpdef check_first_bytes(int first, int second, int claimed=?)
cpdef check_extended_length(length, int size)
@cython.locals(size=Py_ssize_t, length=Py_ssize_t, start=Py_ssize_t, end=Py_ssize_t)
cpdef tuple seek_close(bytes data, Py_ssize_t position)
