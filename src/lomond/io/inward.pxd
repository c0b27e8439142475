cimport cython

from lomond.system.clock cimport monotonic, time
from lomond.system.layers cimport Layer
from lomond.system.need cimport Need
from lomond.system.pipe cimport Pipe
from lomond.protocol.connection cimport Connection
from lomond.protocol.output cimport Output

cdef double _NEVER
cdef Py_ssize_t _READ_SIZE
cdef Py_ssize_t _MEDIUM
cdef Py_ssize_t _LARGE

cdef class Inward:
    cdef object __weakref__
    cdef Py_ssize_t _ahead
    cdef Py_ssize_t _at_once
    cdef Need _calm
    cdef double _calm_frame
    cdef bint _counts_turns
    cdef object _delay
    cdef bint _has_ended
    cdef bint _is_handled
    cdef double _looked_at
    cdef double _notable
    cdef Py_ssize_t _seen
    cdef double _until
    cdef Py_ssize_t _with_parts
    cdef bint _writes
    cdef public double calm_until
    cdef public Connection connection
    cdef public bint is_foreign
    cdef public bint is_full
    cdef public bint is_in_use
    cdef public bint is_over
    cdef public object journal
    cdef public double look_at
    cdef public Output output
    cdef public Pipe pipe
    cdef public object session
    cdef public object wakeup

    cpdef looked(self, double now)
    cpdef _paused(self, double now)
    cpdef _pause_until(self, double now)
    cpdef wake(self)
    cpdef bint may_read_ahead(self) except *
    cpdef bint receive_ahead(self, double patience=?) except *
    cpdef bint receive(self, bint waits=?) except *
    cpdef bint read_more(self) except *
    cpdef bint take_calmly(self) except *
    cpdef double _lull(self) except? -2.0
    @cython.locals(pipe=Pipe, connection=Connection, count=Py_ssize_t, now=double, wall=double, is_direct=bint)
    cpdef bint _receive(self, bint is_ahead, bint waits) except *
    @cython.locals(pipe=Pipe, connection=Connection, left=Py_ssize_t, size=Py_ssize_t)
    cpdef _fill_on(self, Py_ssize_t count, double now, double wall)
    cpdef _came(self, bytes data, Py_ssize_t count, failure, bint is_ahead, double now, double wall)
    cpdef _store(self, bytes data, bint is_ahead, double now, double wall)
    cpdef _filled(self, Py_ssize_t count, double now, double wall)
    cpdef _feed(self, bytes data, bint is_ahead, double now, double wall)
    @cython.locals(pipe=Pipe, connection=Connection, top=Layer, count=Py_ssize_t)
    cpdef _pump(self, bint is_ahead, double now, double wall)
    cpdef _fail(self, error, double now)
    cpdef _let_go(self)
