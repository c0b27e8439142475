cimport cython

cdef Py_ssize_t _LARGEST
cdef int _LENGTH_BITS
cdef int CLOSE
cdef int OPCODE_BITS

@cython.locals(size=Py_ssize_t, length=Py_ssize_t, start=Py_ssize_t, end=Py_ssize_t)
cpdef tuple seek_close(bytes data, Py_ssize_t position)
