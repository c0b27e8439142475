cpdef bytes masked_frame(bytes head, payload, bytes key)
