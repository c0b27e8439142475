from lomond.io.driving cimport Pause

cdef class TaskPause(Pause):
    cdef public bint _asyncio_future_blocking
    cdef object _context
    cdef object _go_on
    cdef bint _is_cancelled
    cdef object _loop
    cdef object _message

    cpdef end(self, bint at_once)
    cpdef _later(self)
