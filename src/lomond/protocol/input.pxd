cimport cython

from lomond.protocol.events cimport Binary, Text
from lomond.protocol.extensions.extension cimport Incoming
from lomond.protocol.messages cimport Message

cdef object ANSWERING
cdef object CLOSED
cdef object CLOSING
cdef object CONNECTING
cdef object OPEN

cdef int BINARY
cdef int FIN
cdef int RESERVED_BITS
cdef int TEXT
cdef int _FIN_TEXT
cdef int _FIN_BINARY
cdef Py_ssize_t _DIRECT
cdef double _NEVER
cdef object _BINARY
cdef object _TEXT

cdef Clock _STANDS_STILL

cdef class Clock:
    cpdef bint has_come(self, double moment) except? -1

cdef class Input:
    cdef public object state
    cdef public Clock clock
    cdef public double due
    cdef public double received_at
    cdef public Py_ssize_t handed
    cdef public double heard
    cdef public object last
    cdef public Py_ssize_t sought
    cdef public Message message
    cdef public Py_ssize_t position
    cdef object _arrived
    cdef bytes _data
    cdef Py_ssize_t _filled
    cdef dict _incoming
    cdef bint _is_giving
    cdef bint _is_starved
    cdef Py_ssize_t _max_size
    cdef Py_ssize_t _most_short
    cdef Py_ssize_t _parts
    cdef Py_ssize_t _remaining
    cdef public object unfinished
    cdef public double wall

    cpdef receive(self, bytes data, double wall)
    @cython.locals(message=Message)
    cpdef bint is_hungry(self)
    @cython.locals(position=Py_ssize_t, size=Py_ssize_t, is_within=bint)
    cpdef double hunger(self, double calm_until, double calm_frame) except? -2.0
    @cython.locals(position=Py_ssize_t)
    cpdef let_go(self)
    cpdef bint offer(self, bytes data, double wall) except *
    @cython.locals(position=Py_ssize_t)
    cpdef take(self, bytes data, double wall)
    cpdef room(self)
    cpdef filled(self, Py_ssize_t count, double wall)
    cpdef bint is_mid_frame(self)
    cpdef shorten(self)
    @cython.locals(
        data=bytes, raw="const char *", first=int, length=Py_ssize_t, position=Py_ssize_t,
        start=Py_ssize_t, least=Py_ssize_t,
        end=Py_ssize_t, size=Py_ssize_t, text=Text, binary=Binary,
    )
    cpdef short_message(self)
    @cython.locals(bits=int, incoming=Incoming, kind=int, payload=bytes, text=Text, binary=Binary)
    cdef _short_changed(self, int first, Py_ssize_t start, Py_ssize_t end)
    @cython.locals(data=bytes)
    cpdef bint seek_close(self) except *
    @cython.locals(data=bytes, start=Py_ssize_t)
    cpdef close_payload(self)
    cpdef bytes unparsed(self)
    @cython.locals(message=Message)
    cpdef came_unfinished(self)
    cpdef forget(self)
