from lomond.io.driving cimport Driver
from lomond.io.exchange cimport Exchange

cdef class Looping(Exchange):
    cdef readonly Driver driver
