from lomond.protocol.connection cimport Connection
from lomond.protocol.events cimport Text

cdef class Loading(Connection):
    cdef object _loads

    cpdef next_event(self)
    cpdef short_message(self)
