from lomond.system.wire cimport Wire

cdef class Carrier(Wire):
    cdef object _driver
    cdef object _error
    cdef bint _has_ended
    cdef bint _is_leaving
    cdef bint _is_paused
    cdef bint _looks_again
    cdef Py_ssize_t _most
    cdef object _room
    cdef Py_ssize_t _count
    cdef object _sock
    cdef object _transport
    cdef object _unread
    cdef object _writable

    cpdef bint has_news(self)
    cdef _read_on(self)
    cpdef watch_writing(self)
