# cython: language_level=3, boundscheck=False, wraparound=False
"""A frame's head, and masking in wide words: what protocol/mask.py says."""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memcpy

cdef Py_ssize_t _LET_OTHERS_RUN = 256 * 1024  # bytes from which the interpreter's lock is let go


cdef void _xor(
    unsigned char *target, const unsigned char *source, Py_ssize_t size, const unsigned char *key
) noexcept nogil:
    cdef uint32_t word
    cdef uint64_t keys, chunk
    cdef Py_ssize_t i = 0
    memcpy(&word, key, 4)
    keys = (<uint64_t>word << 32) | word  # the same on machines of either byte order
    while size - i >= 8:
        # memcpy, because neither address need be a multiple of 8; compilers make it one move.
        memcpy(&chunk, source + i, 8)
        chunk ^= keys
        memcpy(target + i, &chunk, 8)
        i += 8
    while i < size:
        target[i] = source[i] ^ key[i & 3]
        i += 1


cdef Py_ssize_t _write_head(
    unsigned char *target, int first, Py_ssize_t size, int mask_bit
) noexcept nogil:
    """Write a frame's first bytes, up to its masking key; how many."""
    cdef uint64_t rest = size
    cdef Py_ssize_t count, i
    target[0] = <unsigned char>first
    if size < 126:
        target[1] = <unsigned char>(mask_bit | size)
        return 2
    count = 4 if size < 65536 else 10
    target[1] = <unsigned char>(mask_bit | (126 if size < 65536 else 127))
    for i in range(count - 1, 1, -1):
        target[i] = <unsigned char>(rest & 0xFF)
        rest >>= 8
    return count


cdef bytes _masked(unsigned char *start, Py_ssize_t before, payload, bytes key):
    """The bytes at the start, then the masked payload."""
    cdef Py_buffer view
    cdef unsigned char *target
    cdef const unsigned char *key_bytes = <const unsigned char *>PyBytes_AS_STRING(key)
    cdef bytes result
    PyObject_GetBuffer(payload, &view, PyBUF_SIMPLE)
    try:
        if before:
            before = _write_head(start, start[0], view.len, 0x80)
            memcpy(start + before, key_bytes, 4)
            before += 4
        result = PyBytes_FromStringAndSize(NULL, before + view.len)
        target = <unsigned char *>PyBytes_AS_STRING(result)
        memcpy(target, start, before)
        if view.len < _LET_OTHERS_RUN:
            _xor(target + before, <const unsigned char *>view.buf, view.len, key_bytes)
        else:
            with nogil:
                _xor(target + before, <const unsigned char *>view.buf, view.len, key_bytes)
        return result
    finally:
        PyBuffer_Release(&view)


cdef _check_key(bytes key):
    if PyBytes_GET_SIZE(key) != 4:
        raise ValueError("a masking key has 4 bytes")


def mask(payload, bytes key not None):
    """The payload XORed with the repeated key of 4 bytes. Masking twice gives the payload back."""
    cdef unsigned char nothing
    _check_key(key)
    return _masked(&nothing, 0, payload, key)


cpdef bytes head(int first, Py_ssize_t size, int mask_bit=0):
    """The first bytes of a frame, up to its masking key, for a payload of that size."""
    cdef unsigned char start[14]
    return (<char *>start)[: _write_head(start, first, size, mask_bit)]


cpdef bytes masked_frame(int first, payload, bytes key):
    """A client's frame: its head, the key and the masked payload."""
    cdef unsigned char start[14]
    _check_key(key)
    start[0] = <unsigned char>first
    return _masked(start, 1, payload, key)
