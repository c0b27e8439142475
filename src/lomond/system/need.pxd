cdef class Awaited:
    cdef object _act
    cdef public object error
    cdef public bint is_done
    cdef public object result

cdef class Need:
    cdef public Awaited awaited
    cdef public object looked_at
    cdef public tuple readable
    cdef public list ready
    cdef public object until
    cdef public tuple writable
