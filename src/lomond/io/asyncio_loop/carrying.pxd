from lomond.io.driving cimport Driver
from lomond.system.wire cimport Wire

cdef class Carrier(Wire):
    cdef Py_ssize_t _count
    cdef bytes _data
    cdef Driver _driver
    cdef object _error
    cdef bint _has_ended
    cdef bint _is_leaving
    cdef bint _is_paused
    cdef bint _looks_again
    cdef object _more
    cdef Py_ssize_t _most
    cdef object _room
    cdef object _sock
    cdef object _told
    cdef object _transport
    cdef object _writable
    cdef public bint has_news

    cdef _tell(self)
    cdef _tell_no_more(self)
    cpdef watch_writing(self, tell)
