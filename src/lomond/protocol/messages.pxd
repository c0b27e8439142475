from lomond.protocol.buffer cimport Buffer

cdef class Message:
    cdef Buffer _buffer
    cdef Py_ssize_t _checked
    cdef bytearray _changed
    cdef object _limit
    cdef public object announced  # may pass what a C size holds
    cdef public Py_ssize_t fragments
    cdef public object incoming
    cdef public bint is_text

    cpdef add(self, data)
    cpdef end(self)
    cpdef check(self)
    cpdef str text(self)
    cpdef bytes data(self)
    cpdef room(self, remaining)
    cpdef filled(self, Py_ssize_t count)
