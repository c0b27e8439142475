# cython: language_level=3
"""The clocks: what the functions of the same names in `time` tell, without an object for it."""

import time as _time

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
    #else
    /* Which clock Python takes there, only Python knows. */
    static double lomond_monotonic(void) { return -1.0; }
    static double lomond_time(void) { return -1.0; }
    #endif
    """
    double _monotonic "lomond_monotonic"()
    double _wall "lomond_time"()


cpdef double monotonic() except -1:
    """As time.monotonic."""
    cdef double now = _monotonic()
    return now if now >= 0 else <double>_time.monotonic()


cpdef double time() except -1:
    """As time.time."""
    cdef double now = _wall()
    return now if now >= 0 else <double>_time.time()
