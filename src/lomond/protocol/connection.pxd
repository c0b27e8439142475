cimport cython

from lomond.protocol.output cimport Output
from lomond.protocol.parsing cimport Parsing

cdef object ANSWERING
cdef object CLOSED
cdef object CLOSING
cdef object CLOSING_EARLY
cdef object CONNECTING
cdef object OPEN
cdef object frames

cdef int CLOSE

cdef class Connection(Parsing):
    cdef public object violation
    cdef public Output output
    cdef public bint has_ended
    cdef public bytes came
    cdef public bint is_ahead
    cdef bytes _answer
    cdef bint _auto_pong

    @cython.locals(
        data=bytes, first=int, position=Py_ssize_t, wall=double,
    )
    cpdef next_event(self)
    cpdef close_to_come(self)
    cdef _control(self, int opcode, bytes payload)
    cdef _answer_ping(self, bytes payload)
    cdef _fail(self, error)
    cdef _move(self, happening)
    cpdef answer_now(self)
    cpdef send_all(self, list messages, bint compress)
    cpdef begin_message(self, int opcode, bint compress)
    cpdef send_fragment(self, payload, bint is_last)
    cdef _check_fragment(self)
    cpdef send(self, int opcode, payload, bint compress=?)
