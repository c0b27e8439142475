cdef class Inflater:
    cdef object _backend
    cdef int _bits
    cdef object _compression
    cdef bint _has_begun
    cdef bint _keeps
    cdef Py_ssize_t _made
    cdef object _stream
    cdef public str noun

cdef class Deflater:
    cdef Py_ssize_t _min_size
    cdef object _backend
    cdef object _compression
    cdef bint _keeps
    cdef object _options
    cdef object _stream
