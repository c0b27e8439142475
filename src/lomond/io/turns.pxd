cdef class Turn:
    cdef list _gates
    cdef public object owner

    cpdef bint is_mine(self) except *
    cpdef bint take(self) except *
    cpdef give(self)
