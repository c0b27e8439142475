cimport cython

from lomond.system.clock cimport monotonic
from lomond.io.exchange cimport Exchange
from lomond.system.need cimport Need
from lomond.system.pipe cimport Pipe

cdef double _NEVER
cdef object _POLL
cdef object _ENDS

cdef class Pause:
    cpdef end(self, bint at_once)

cdef class Driver:
    cdef public object ahead
    cdef object _awaited
    cdef object _failure
    cdef public object _give_up
    cdef public bint _is_coming
    cdef public bint _is_met
    cdef bint _is_nudged
    cdef bint _is_running
    cdef public bint _is_waiting
    cdef bint _is_watched
    cdef bint _is_within
    cdef bint _is_woken
    cdef public object items
    cdef public object _kept
    cdef object _last
    cdef public Need _need
    cdef bint _owes_turn
    cdef public Pause _pause
    cdef public object _runs
    cdef public object _thread
    cdef double _timer_at
    cdef public bint has_read
    cdef public object left
    cdef public object loop
    cdef readonly bint loop_tells
    cdef public Py_ssize_t paused
    cdef public object posts
    cdef public Py_ssize_t reads
    cdef public bint reads_late
    cdef public list senders
    cdef public Py_ssize_t steps
    cdef public object task
    cdef public object this_task

    cpdef follow(self, session)
    cpdef check_loop(self)
    cpdef _begin(self)
    cpdef soon(self, act)
    cpdef _watch(self, need)
    cpdef unwatch(self)
    @cython.locals(is_ready=bint)
    cpdef at_once(self)
    cpdef stop(self)
    cdef _end(self)
    cpdef wake(self)
    cpdef bint is_here(self)
    @cython.locals(need=Need)
    cpdef go_on(self)
    cpdef _run_ahead_soon(self)
    cpdef _run_ahead(self)
    cdef _go_ahead(self)
    @cython.locals(moment=double)
    cdef _take(self, bint is_ahead)

@cython.locals(exchange=Exchange, pipe=Pipe, is_over=bint, is_done=bint)
cdef _tell(list senders, bint loop_tells)
cpdef bint has_news(need) except *
cpdef resume(need)
