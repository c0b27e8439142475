cpdef double monotonic() except? -1
cpdef double time() except? -1
cpdef pretend(clocks)
