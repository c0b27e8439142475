from lomond.io.driving cimport Driver
from lomond.io.exchange cimport Exchange

cdef int _READS

cdef class Looping(Exchange):
    cdef object _streams
    cdef readonly Driver driver

    cpdef bint read_more(self) except *
