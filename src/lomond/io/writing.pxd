cimport cython

from lomond.io.link cimport Link
from lomond.io.reading cimport Reader
from lomond.io.transport cimport Transport

cdef Py_ssize_t _LARGEST
cdef double _LAST_READ

cdef class Writer:
    cdef list _gates
    cdef Link _link
    cdef object _owner
    cdef Reader _reader

    cpdef bint is_mine(self) except *
    cpdef bint is_free(self)
    cpdef bint take_turn(self) except *
    @cython.locals(link=Link, transport=Transport, target=Py_ssize_t)
    cpdef Py_ssize_t send(self, int opcode, payload, bint compress=?) except? -2
    @cython.locals(transport=Transport)
    cpdef bint is_written(self, Py_ssize_t target, bint is_read=*) except *
    @cython.locals(link=Link, transport=Transport)
    cpdef write_until(self, Py_ssize_t target, bint has_turn)
    @cython.locals(link=Link, transport=Transport)
    cpdef write_some(self)
    @cython.locals(link=Link)
    cdef _give_turn(self)
    cdef _write_blocking(self, Transport transport, target)
    @cython.locals(link=Link)
    cdef bint _write_once(self, Transport transport) except *
