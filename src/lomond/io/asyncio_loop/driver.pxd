cimport cython

from lomond.io.asyncio_loop.watching cimport LoopSocket, WatchedSocket
from lomond.system.clock cimport monotonic
from lomond.io.driving cimport Driver, has_news, resume
from lomond.system.pipe cimport Pipe

cdef double _NEVER
cdef int _TURNS
cdef int _IDLE

cdef class AsyncioDriver(Driver):
    cdef double _counted_at
    cdef object _timer
    cdef int _turns
    cdef list _watched

    cpdef _begin(self)
    cpdef soon(self, act)
    cpdef _write_on(self, carrier)
    @cython.locals(seconds=double)
    cpdef _watch(self, need)
    cpdef _look_at(self, need)
    cpdef unwatch(self)
    @cython.locals(moment=double)
    cdef _set_timer(self, double seconds)
    @cython.locals(seconds=double)
    cpdef _timed(self)
    cdef _judge(self, need)
    cdef _count_turns(self)
    cdef _begin_turns(self)
    cpdef _turned(self)
