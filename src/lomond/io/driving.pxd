cimport cython

from lomond.io.carrying cimport Carrier
from lomond.system.clock cimport monotonic
from lomond.io.pausing cimport Pause
from lomond.io.exchange cimport Exchange
from lomond.system.pipe cimport Pipe

cdef Py_ssize_t _MOST_UNREAD
cdef Py_ssize_t _TURN
cdef double _NEVER
cdef object _POLL
cdef object _ENDS
cdef int _TURNS
cdef int _IDLE

cdef class Driver:
    cdef object _ahead
    cdef object _awaited
    cdef object _failure
    cdef bint _is_coming
    cdef bint _is_met
    cdef bint _is_running
    cdef bint _is_waiting
    cdef bint _is_within
    cdef bint _is_woken
    cdef object _items
    cdef object _kept
    cdef object _last
    cdef object _need
    cdef bint _owes_turn
    cdef Pause _pause
    cdef object _scope
    cdef list _senders
    cdef object _thread
    cdef object _timer
    cdef double _timer_at
    cdef int _turns
    cdef double _counted_at
    cdef list _watched
    cdef public Py_ssize_t given
    cdef public object loop

    @cython.locals(is_ready=bint)
    cpdef at_once(self)
    cdef _take(self)
    cpdef check_loop(self)
    cpdef stop(self)
    cdef _end(self)
    cpdef wake(self)
    cpdef bint is_here(self)
    cpdef go_on(self)
    cpdef _look_at(self, need)
    cpdef came(self)
    cdef _count_turns(self)
    cpdef write_on(self, carrier)
    @cython.locals(exchange=Exchange, pipe=Pipe, is_over=bint, is_done=bint)
    cdef _tell(self, bint at_once)
    cdef _step(self)
    cdef _run_ahead_soon(self)
    cpdef _run_ahead(self)
    @cython.locals(carrier=Carrier)
    cdef bint _has_news(self, need) except *
    @cython.locals(seconds=double)
    cdef _watch(self, need)
    cpdef _unwatch(self)
    @cython.locals(moment=double)
    cdef _set_timer(self, double seconds)

cdef _resolve(future)
