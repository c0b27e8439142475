from lomond.io.asyncio_loop.watching cimport LoopSocket

cdef class Carrier(LoopSocket):
    cdef Py_ssize_t _count
    cdef bytes _data
    cdef object _error
    cdef bint _has_ended
    cdef bint _is_leaving
    cdef bint _is_paused
    cdef object _more
    cdef Py_ssize_t _most
    cdef object _room
    cdef object _transport

    cdef _tell(self)
