cimport cython

from lomond.compiled.clock cimport monotonic
from lomond.compiled.link cimport Link
from lomond.compiled.reading cimport Reader
from lomond.compiled.transport cimport Transport
from lomond.compiled.writing cimport Writer

cdef int PING
cdef double _NEVER

cdef class Channel:
    cdef list _deferred
    cdef Reader _reader
    cdef double _due
    cdef bint _may_wait
    cdef object _waiter
    cdef Writer _writer
    cdef bint _writes
    cdef public Link link
    cdef public object read
    cdef public object session

    @cython.locals(target=Py_ssize_t, has_turn=bint)
    cpdef send(self, int opcode, payload, bint compress=?)
    @cython.locals(link=Link, transport=Transport, target=Py_ssize_t, has_turn=bint)
    cdef tuple _queue(self, int opcode, payload, bint compress)
    cpdef run_deferred(self)
    cpdef read_or_tick(self)
    cpdef need(self)
    cpdef look(self)
    cpdef bint read_more(self) except *
    @cython.locals(link=Link, transport=Transport, seconds=double, writes=bint, readable=bint)
    cdef _read_or_tick(self)
    @cython.locals(link=Link, transport=Transport)
    cdef bint _prepare(self) except *
    @cython.locals(link=Link, now=double)
    cdef _judge(self, bint readable)
    @cython.locals(link=Link, transport=Transport)
    cdef double _calm_until(self) except? -2
