cdef class Compression:
    cdef public str backend
    cdef public int client_max_window_bits
    cdef public bint client_no_context_takeover
    cdef public long long received_compressed
    cdef public long long received_raw
    cdef public long long sent_compressed
    cdef public long long sent_raw
    cdef public int server_max_window_bits
    cdef public bint server_no_context_takeover
