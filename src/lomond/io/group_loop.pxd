cimport cython

from lomond.system.clock cimport monotonic
from lomond.system.need cimport Need

cdef int READ
cdef int WRITE

cdef class Member:
    cdef GroupLoop _many
    cdef public double heap_at
    cdef public bint is_left
    cdef public bint is_queued
    cdef public bint is_woken
    cdef public object items
    cdef public int left
    cdef public Need need
    cdef public object owner
    cdef public list watched

cdef class GroupLoop:
    cdef public dict members
    cdef object _posts
    cdef list _ready
    cdef object _woken
    cdef list _heap
    cdef Py_ssize_t _count
    cdef public object _poller
    cdef dict _watching
    cdef public object _wakeup
    cdef object _thread
    cdef bint _is_inside
    cdef bint _is_waiting
    cdef list _leaving

    cpdef woken(self, Member member)
    cdef _wake(self)
    cdef _end(self)
    cdef _forget(self, Member member)
    cdef _leave(self)
    cdef _begin(self, Member member)
    cdef _rest(self, Member member)
    @cython.locals(need=Need, until=double)
    cdef _step(self, Member member)
    @cython.locals(what=int)
    cdef _arrange(self, Member member, Need need)
    @cython.locals(need=Need, until=double)
    cdef _push(self, Member member)
    cpdef _watch(self, Member member, list watched)
    cdef _listen(self, poller)
    @cython.locals(watching=Member, member=Member, need=Need, now=double, what=int)
    cdef _wait(self, poller)
    cdef _queue(self, Member member)
