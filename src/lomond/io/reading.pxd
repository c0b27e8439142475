cimport cython

from lomond.io.clock cimport monotonic, time
from lomond.protocol.connection cimport Connection
from lomond.io.layer cimport TLSLayer
from lomond.io.link cimport Link
from lomond.io.lock cimport Lock
from lomond.io.transport cimport Transport

cdef double _NEVER

cdef class Reader:
    cdef object _ahead
    cdef double _calm_frame
    cdef bint _has_ended
    cdef Link _link
    cdef Lock _turn

    cpdef bint may_read_ahead(self) except *
    @cython.locals(calm_until=double)
    cpdef bint is_calm(self) except *
    @cython.locals(link=Link, connection=Connection)
    cpdef double calm_until(self) except? -2
    @cython.locals(link=Link, came=bint)
    cpdef bint read(self) except *
    cpdef bint receive(self, bint waits=?) except *
    @cython.locals(transport=Transport)
    cpdef bint read_more(self) except *
    cpdef bint receive_ahead(self, double patience=?) except *
    @cython.locals(link=Link, transport=Transport, connection=Connection, count=Py_ssize_t, now=double, wall=double, is_plain=bint)
    cdef bint _receive(self, bint is_ahead, bint waits) except *
    @cython.locals(link=Link, connection=Connection)
    cdef _store(self, bytes data, bint is_ahead, double now, double wall)
    @cython.locals(link=Link)
    cdef _filled(self, Py_ssize_t count, double now, double wall)
    cdef _decrypt(self, Transport transport, bytes data, bint is_ahead, double now, double wall)
    @cython.locals(connection=Connection, top=TLSLayer, count=Py_ssize_t)
    cdef _pump(self, Transport transport, bint is_ahead, double now, double wall)
    cdef _fail(self, error, double now)
