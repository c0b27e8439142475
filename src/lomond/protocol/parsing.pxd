cimport cython

from lomond.protocol.events cimport Binary, BinaryPart, Text
from lomond.protocol.frames cimport check_extended_length, check_first_bytes
from lomond.protocol.input cimport Input
from lomond.protocol.messages cimport Message
from lomond.protocol.parts cimport Parts

cdef object frames

cdef int CLOSE
cdef int FIN
cdef int OPCODE_BITS
cdef int PING
cdef int RESERVED_BITS
cdef int TEXT

cdef class Parsing(Input):
    cdef int _claimed
    cdef bint _final
    cdef object _limits

    @cython.locals(data=bytes, opcode=int, end=Py_ssize_t, size=Py_ssize_t, bits=int, message=Message, final=bint)
    cdef tuple _next_frame(self, int first, int second, Py_ssize_t start)
    @cython.locals(count=Py_ssize_t, start=Py_ssize_t, message=Message)
    cdef _more_payload(self)
    cdef Message _begun(self, bint is_text, incoming)
    @cython.locals(is_last=bint, is_more=bint, message=Parts)
    cdef _given(self)
    @cython.locals(
        data=bytes, is_first=bint, is_last=bint, offset=Py_ssize_t, part=BinaryPart, text=str,
        wall=double,
    )
    cdef _part(self, Parts message)
    cdef _count(self, Py_ssize_t size, bint is_text)
    cdef _check_sequence(self, int opcode)
    cdef _check_limits(self, Message message, length, incoming)
    cdef _control(self, int opcode, bytes payload)
