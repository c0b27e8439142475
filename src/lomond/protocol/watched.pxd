from lomond.protocol.connection cimport Connection
from lomond.protocol.events cimport Binary, BinaryPart, Pong, Text, TextPart
from lomond.protocol.loading cimport Loading
from lomond.protocol.output cimport Output

cdef object frames
cdef dict _OUT
cdef bytes _UPGRADES

cdef class WatchedOutput(Output):
    cdef object _listening

    cpdef put(self, int opcode, payload, bint compress=?)
    cpdef fragment(self, payload, bint is_last)

cdef class Watched(Loading):
    cdef object _listening

    cpdef next_event(self)
    cpdef short_message(self)
    cdef _note(self, event)
    cdef _control(self, int opcode, bytes payload)
