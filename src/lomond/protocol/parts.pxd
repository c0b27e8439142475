cimport cython

from lomond.protocol.buffer cimport Buffer
from lomond.protocol.extensions.extension cimport Incoming
from lomond.protocol.messages cimport Message

cdef Py_ssize_t STEP
cdef Py_ssize_t _WORTH_READS

cdef class Parts(Message):
    cdef bint _is_ending
    cdef Py_ssize_t _most
    cdef list _ready
    cdef public bint has_ended
    cdef public Py_ssize_t offset

    @cython.locals(lacks=Py_ssize_t)
    @cython.locals(lacks=Py_ssize_t)
    cpdef room(self, remaining)
    @cython.locals(buffer=Buffer)
    cpdef filled(self, Py_ssize_t count)
    cpdef Py_ssize_t wants(self, Py_ssize_t count) except -1
    cpdef add_from(self, bytes data, Py_ssize_t start, Py_ssize_t end)
    cpdef add(self, data)
    cpdef end(self)
    @cython.locals(buffer=Buffer, data=bytes, incoming=Incoming)
    cpdef bint take(self) except *
    cpdef bint is_full(self) except *
    @cython.locals(ready=Py_ssize_t, size=Py_ssize_t)
    cpdef bint is_last(self) except *
    @cython.locals(buffer=Buffer, most=Py_ssize_t, rest=bytes, size=Py_ssize_t)
    cpdef str next_text(self)
    @cython.locals(buffer=Buffer, data=bytes, rest=bytes, size=Py_ssize_t)
    cpdef bytes next_data(self)
    cdef _go_on(self, Py_ssize_t size, bytes rest)
