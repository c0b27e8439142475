cdef class Inflater:
    cdef object _backend
    cdef int _bits
    cdef object _compression
    cdef bint _has_begun
    cdef bint _keeps
    cdef object _max_size
    cdef object _stream

cdef class Deflater:
    cdef public object min_size
    cdef object _backend
    cdef object _compression
    cdef bint _keeps
    cdef object _options
    cdef object _stream
