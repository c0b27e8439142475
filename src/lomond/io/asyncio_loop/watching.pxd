from lomond.io.driving cimport Driver
from lomond.system.wire cimport Wire

cdef class LoopSocket(Wire):
    cdef Driver _driver
    cdef object _sock
    cdef object _told
    cdef public bint has_news

    cpdef tell_news(self)
    cpdef tell_no_more(self)
    cpdef watch_writing(self, tell)
    cpdef give_back(self)

cdef class WatchedSocket(LoopSocket):
    cdef bint _is_left
    cdef bint _is_read
    cdef bint _is_watched
    cdef Py_ssize_t _lineage

    cpdef watch(self)
    cdef _watch_no_more(self)
    cdef _leave(self)
    cdef _has_read(self, Py_ssize_t count, Py_ssize_t size)
    cdef _watch_writing_no_more(self)
