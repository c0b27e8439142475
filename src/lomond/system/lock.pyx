# cython: language_level=3
"""The lock of a connection, with the methods of threading.RLock.

That one parses its arguments and makes objects each time, a tenth of a short message's cost.
"""

import threading
from time import monotonic

from cpython.exc cimport PyErr_CheckSignals
from libc.math cimport ceil

cdef extern from "pythread.h":
    ctypedef enum PyLockStatus:
        PY_LOCK_FAILURE
        PY_LOCK_ACQUIRED
        PY_LOCK_INTR
    PyThread_type_lock PyThread_allocate_lock()
    void PyThread_free_lock(PyThread_type_lock lock)
    int PyThread_acquire_lock(PyThread_type_lock lock, int waits)
    PyLockStatus PyThread_acquire_lock_timed(
        PyThread_type_lock lock, long long microseconds, int is_interruptible
    ) nogil
    void PyThread_release_lock(PyThread_type_lock lock)
    unsigned long PyThread_get_thread_ident()

cdef double _LONGEST = 3600.0  # seconds; of one wait of several


cdef class Lock:
    """Guards changes; the thread that has it may take it again.

    Where gevent or eventlet made threads greenlets, whose numbers C does not know, it is theirs.
    """

    def __cinit__(self):
        self._other = None
        if threading.get_ident() != PyThread_get_thread_ident():
            self._other = threading.RLock()
        self._owner = 0
        self._count = 0
        self._lock = PyThread_allocate_lock()
        if self._lock == NULL:
            raise MemoryError("the system has no lock left")

    def __dealloc__(self):
        if self._lock != NULL:
            if self._count:
                PyThread_release_lock(self._lock)
            PyThread_free_lock(self._lock)

    cpdef bint acquire(self, bint blocking=True, double timeout=-1.0) except -1:
        """Wait for the lock, and take it; a signal's handler runs meanwhile. Whether it was taken."""
        cdef unsigned long me
        if self._other is not None:
            return self._other.acquire(blocking, timeout)
        me = PyThread_get_thread_ident()
        # Whether it is this thread's, no other thread can change.
        if self._owner != me:
            if not PyThread_acquire_lock(self._lock, 0) and not (blocking and self._wait(timeout)):
                return False
            self._owner = me
        self._count += 1
        return True

    cdef bint _wait(self, double timeout) except -1:
        cdef double due = 0.0, left = _LONGEST
        cdef long long microseconds
        cdef PyLockStatus status
        if timeout >= 0:
            due = monotonic() + timeout
        while True:
            if timeout >= 0:
                left = min(max(due - <double>monotonic(), 0.0), _LONGEST)
            microseconds = <long long>ceil(left * 1e6)
            with nogil:
                status = PyThread_acquire_lock_timed(self._lock, microseconds, 1)
            if status == PY_LOCK_ACQUIRED:
                return True
            if status == PY_LOCK_INTR:
                PyErr_CheckSignals()
            elif timeout >= 0 and left <= 0:
                return False

    cpdef release(self):
        """Raises RuntimeError if this thread does not have it."""
        if self._other is not None:
            self._other.release()
            return
        if self._owner != PyThread_get_thread_ident():
            raise RuntimeError("cannot release un-acquired lock")
        self._count -= 1
        if not self._count:
            self._owner = 0
            PyThread_release_lock(self._lock)

    def locked(self):
        """Whether any thread has it. From Python 3.14 on threading.Condition asks for it."""
        if self._other is None:
            return self._count > 0
        if self._other._is_owned() or not self._other.acquire(False):
            return True
        self._other.release()  # which has no such method before
        return False

    cpdef bint _is_owned(self) except -1:
        if self._other is not None:
            return self._other._is_owned()
        return self._owner == PyThread_get_thread_ident()

    def __enter__(self):
        return self.acquire()

    def __exit__(self, *args):
        self.release()
