cimport cython

from lomond.system.clock cimport monotonic
from lomond.io.exchange cimport Exchange
from lomond.system.lock cimport Lock
from lomond.system.pipe cimport Pipe
from lomond.io.turns cimport Turn

cdef int PING
cdef Py_ssize_t _LARGEST
cdef Turn _NOBODYS

cdef class Guarded(Exchange):
    cdef list _deferred
    cdef Lock _read_turn
    cdef Turn _write_turn
    cdef public object attend
    cdef public bint is_clear
    cdef public object is_owned
    cdef public bint is_wanted
    cdef public Lock lock
    cdef public Turn message_turn

    cpdef catch_up(self)
    @cython.locals(pipe=Pipe, target=Py_ssize_t, size=Py_ssize_t, before="long long", is_long=bint, is_short=bint)
    cpdef send(self, int opcode, payload, bint compress=?)
    @cython.locals(pipe=Pipe)
    cpdef _send_long(self, int opcode, payload, bint compress)
    @cython.locals(pipe=Pipe, target=Py_ssize_t, has_turn=bint, is_written=bint)
    cpdef tuple _queue(self, put, Py_ssize_t size)
    cpdef send_all(self, list messages, bint compress)
    cpdef pass_on(self, put, Py_ssize_t size, bint is_ping=?)
    cpdef _await_turn(self)
    cpdef end_message(self)
    cpdef _write_until(self, Pipe pipe, Py_ssize_t target, bint has_turn)
    cpdef bint receive_ahead(self, double patience=?) except *
    cpdef _empty_queue(self, Pipe pipe)
    cpdef _give_turn(self)
