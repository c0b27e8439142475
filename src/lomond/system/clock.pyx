# cython: language_level=3
"""The clocks: what the functions of the same names in `time` tell, without an object for it.

And the one switch that gives a thread others: a pretend world's.
"""

import threading as _threading
import time as _time

from lomond.protocol.events import time as _of_events

from lomond.protocol.input cimport Clock

cdef extern from *:
    """
    #ifdef __linux__
    #include <time.h>
    static double lomond_monotonic(void) {
        struct timespec t;
        clock_gettime(CLOCK_MONOTONIC, &t);
        return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
    }
    static double lomond_time(void) {
        struct timespec t;
        clock_gettime(CLOCK_REALTIME, &t);
        return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
    }
    /* The time of the last tick, which the system need not work out: a third of the price. */
    static double lomond_coarse(void) {
        struct timespec t;
        clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
        return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
    }
    #else
    /* Which clock Python takes there, only Python knows. */
    static double lomond_monotonic(void) { return -1.0; }
    static double lomond_time(void) { return -1.0; }
    static double lomond_coarse(void) { return -1.0; }
    #endif
    """
    double _monotonic "lomond_monotonic"()
    double _wall "lomond_time"()
    double _coarse "lomond_coarse"()


cdef dict _worlds = {}  # by the numbers of the threads that are in one
cdef bint _is_pretended = False


cpdef double monotonic() except? -1:
    """Seconds on a clock that nobody sets."""
    cdef double now
    if _is_pretended:
        return _pretended_monotonic()
    now = _monotonic()
    return now if now >= 0 else <double>_time.monotonic()


cpdef double time() except? -1:
    """Seconds since the epoch."""
    cdef double now
    if _is_pretended:
        return _pretended_time()
    now = _wall()
    return now if now >= 0 else <double>_time.time()


cdef class _Coarse(Clock):
    """Whether moments have come, by the clock of `monotonic`; a tick late at the most."""

    cpdef bint has_come(self, double moment) except? -1:
        cdef double now
        if _is_pretended:
            return _pretended_monotonic() >= moment
        now = _coarse()
        return (now if now >= 0 else <double>_time.monotonic()) >= moment


coarse = _Coarse()


cpdef pretend(clocks):
    """Have this thread go by other clocks, or by the system's again; those that it went by before.

    For tests. Who was told what was there before gives that back, the innermost first.
    """
    global _is_pretended
    me = _threading.get_ident()
    before = _worlds.pop(me, None)
    if clocks is not None:
        _worlds[me] = clocks
    _is_pretended = len(_worlds) > 0
    # Never turned back: it asks the function above, and events that a user makes are few.
    _of_events.__setstate__((time, (), None, None))
    return before


cdef double _pretended_monotonic() except? -1:
    clocks = _worlds.get(_threading.get_ident())
    return _time.monotonic() if clocks is None else clocks.monotonic()


cdef double _pretended_time() except? -1:
    clocks = _worlds.get(_threading.get_ident())
    return _time.time() if clocks is None else clocks.time()
