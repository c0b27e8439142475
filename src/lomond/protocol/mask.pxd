cpdef bytes head(int first, Py_ssize_t size, int mask_bit=?)
cpdef bytes masked_frame(int first, payload, bytes key)
