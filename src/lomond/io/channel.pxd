cimport cython

from lomond.io.clock cimport monotonic
from lomond.io.link cimport Link
from lomond.io.reading cimport Reader
from lomond.io.transport cimport Transport
from lomond.io.writing cimport Writer

cdef int PING
cdef double _NEVER

cdef class Channel:
    cdef object _calm
    cdef list _deferred
    cdef Reader _reader
    cdef double _due
    cdef bint _may_wait
    cdef object _waiter
    cdef Writer _writer
    cdef bint _writes
    cdef public Link link
    cdef public double look_at
    cdef public object read
    cdef public object session

    cpdef send(self, int opcode, payload, bint compress=?)
    cpdef Py_ssize_t post(self, int opcode, payload, bint compress=?) except? -1
    @cython.locals(target=Py_ssize_t, has_turn=bint)
    cdef Py_ssize_t _send(self, int opcode, payload, bint compress, bint waits) except? -1
    cpdef bint is_written(self, Py_ssize_t target, bint is_read) except *
    @cython.locals(link=Link, transport=Transport, target=Py_ssize_t, has_turn=bint, is_written=bint)
    cdef tuple _queue(self, int opcode, payload, bint compress, bint takes_turn)
    cpdef run_deferred(self)
    cpdef read_or_tick(self)
    cpdef need(self)
    @cython.locals(link=Link, calm_until=double)
    cpdef calm_need(self)
    cpdef bint take_calmly(self) except *
    cpdef look(self, need)
    cpdef bint read_more(self) except *
    @cython.locals(link=Link, transport=Transport, seconds=double, writes=bint, readable=bint)
    cdef _read_or_tick(self)
    @cython.locals(link=Link, transport=Transport)
    cdef bint _prepare(self) except *
    @cython.locals(link=Link, transport=Transport, now=double)
    cdef _judge(self, bint readable, looked_at)
    @cython.locals(link=Link, transport=Transport)
    cdef double _calm_until(self) except? -2
