from lomond.protocol.mask cimport masked_frame

cpdef bytes build(int opcode, payload, bytes key)
cpdef check_first_bytes(int first, int second, int claimed=?)
cpdef check_extended_length(length, int size)
