cimport cython

from lomond.protocol.events cimport Binary, Pong, Text
from lomond.protocol.frames cimport check_extended_length, check_first_bytes
from lomond.protocol.messages cimport Message
from lomond.protocol.output cimport Output

cdef object ANSWERING
cdef object CLOSED
cdef object CLOSING
cdef object CLOSING_EARLY
cdef object CONNECTING
cdef object OPEN
cdef object frames

cdef int BINARY
cdef int CLOSE
cdef int FIN
cdef int OPCODE_BITS
cdef int RESERVED_BITS
cdef int TEXT
cdef int _FIN_TEXT
cdef int _FIN_BINARY
cdef Py_ssize_t _DIRECT
cdef double _NEVER

cdef class Connection:
    cdef public object state
    cdef public object violation
    cdef public Output output
    cdef public object clock
    cdef public double due
    cdef public double received_at
    cdef public bint has_ended
    cdef public bint is_ahead
    cdef public Py_ssize_t sought
    cdef bytes _answer
    cdef object _arrived
    cdef bint _auto_pong
    cdef int _claimed
    cdef bytes _data
    cdef Py_ssize_t _filled
    cdef bint _final
    cdef bint _is_starved
    cdef dict _incoming
    cdef object _limits
    cdef Py_ssize_t _max_size
    cdef public Message message
    cdef Py_ssize_t _most_short
    cdef public Py_ssize_t position
    cdef Py_ssize_t _remaining
    cdef double _wall

    @cython.locals(
        data=bytes, first=int, position=Py_ssize_t,
    )
    cpdef next_event(self)
    @cython.locals(
        data=bytes, raw="const char *", first=int, length=Py_ssize_t, position=Py_ssize_t,
        start=Py_ssize_t, least=Py_ssize_t,
        end=Py_ssize_t, size=Py_ssize_t, text=Text, binary=Binary,
    )
    cpdef short_message(self)
    @cython.locals(data=bytes)
    cpdef bint seek_close(self) except *
    @cython.locals(data=bytes, start=Py_ssize_t)
    cpdef close_to_come(self)
    cdef bytes _unparsed(self)
    @cython.locals(data=bytes, opcode=int, end=Py_ssize_t, size=Py_ssize_t, bits=int, message=Message, final=bint)
    cdef tuple _next_frame(self, int first, int second, Py_ssize_t start)
    @cython.locals(count=Py_ssize_t, start=Py_ssize_t, message=Message)
    cdef _more_payload(self)
    cdef _check_sequence(self, int opcode)
    cdef _check_limits(self, Message message, length, incoming)
    cdef _control(self, int opcode, bytes payload)
    cdef _answer_ping(self, bytes payload)
    cdef _fail(self, error)
    cdef _forget_input(self)
    cdef _move(self, happening)
    cpdef answer_now(self)
    cpdef receive(self, bytes data, double wall)
    cpdef bint is_hungry(self)
    @cython.locals(position=Py_ssize_t, size=Py_ssize_t, is_within=bint)
    cpdef double hunger(self, double calm_until, double calm_frame) except? -2.0
    cpdef bint offer(self, bytes data, double wall) except *
    @cython.locals(position=Py_ssize_t)
    cpdef let_go(self)
    cpdef bint is_mid_frame(self)
    @cython.locals(position=Py_ssize_t)
    cpdef take(self, bytes data, double wall)
    cpdef room(self)
    cpdef filled(self, Py_ssize_t count, double wall)
    cpdef send(self, int opcode, payload, bint compress=?)
