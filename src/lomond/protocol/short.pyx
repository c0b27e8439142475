# cython: language_level=3
"""Short messages as an iterator: what protocol/short.py says, without a call from Python for each."""

from lomond.protocol.connection cimport Connection


cdef class short_messages:
    """What gives, again and again, what `Connection.short_message` gives until it gives None."""

    cdef Connection _connection

    def __cinit__(self, Connection connection not None):
        self._connection = connection

    def __call__(self):
        return self

    def __iter__(self):
        return self

    def __next__(self):
        event = self._connection.short_message()
        if event is None:
            raise StopIteration
        return event
