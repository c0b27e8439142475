cdef class Layer:
    cdef bytes _incoming_bytes
    cdef bint _is_at_end
    cdef bytes _outgoing_bytes
    cdef public bint has_ended

    cpdef feed(self, bytes data)
    cpdef bint has_more(self)
    cpdef read(self)
    cpdef read_all(self)
    cpdef Py_ssize_t read_into(self, room) except -1
    cpdef write(self, bytes data)
    cpdef bytes take(self)
