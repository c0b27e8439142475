cimport cython

from lomond.compiled.clock cimport monotonic
from lomond.compiled.link cimport Link
from lomond.compiled.reading cimport Reader
from lomond.compiled.transport cimport Transport
from lomond.compiled.writing cimport Writer

cdef int PING

cdef class Channel:
    cdef list _deferred
    cdef Reader _reader
    cdef object _waiter
    cdef Writer _writer
    cdef public Link link
    cdef public object read
    cdef public object session

    cpdef send(self, int opcode, payload, bint compress=?)
    @cython.locals(link=Link, transport=Transport, has_turn=bint)
    cdef _send_long(self, int opcode, payload, bint compress)
    cpdef run_deferred(self)
    cpdef read_or_tick(self)
    @cython.locals(link=Link, transport=Transport, may_wait=bint, writes=bint, is_far=bint, readable=bint)
    cdef _read_or_tick(self)
    @cython.locals(link=Link, transport=Transport)
    cdef double _calm_until(self, deadline) except? -2
