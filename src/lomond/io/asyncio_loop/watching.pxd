from lomond.io.driving cimport Driver

cdef class LoopSocket:
    cdef public Driver _driver
    cdef public object _sock
    cdef public object _told
    cdef public bint has_news

    cpdef watch(self)
    cpdef watch_writing(self, tell)
    cpdef give_back(self)

cdef class WatchedSocket(LoopSocket):
    cdef bint _is_paused
    cdef bint _is_watched
    cdef Py_ssize_t _lineage

    cdef _pause_no_more(self)
    cdef _watch_no_more(self)
    cdef _watch_writing_no_more(self)
