# cython: language_level=3, boundscheck=False, wraparound=False
"""Masking of client frames, RFC 6455 section 5.3: what protocol/mask.py says, in wide words."""

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


cdef bytes _masked(bytes head, payload, bytes key, bint with_key):
    cdef Py_buffer view
    cdef Py_ssize_t before = PyBytes_GET_SIZE(head)
    cdef unsigned char *target
    cdef const unsigned char *key_bytes = <const unsigned char *>PyBytes_AS_STRING(key)
    cdef bytes result
    if PyBytes_GET_SIZE(key) != 4:
        raise ValueError("a masking key has 4 bytes")
    PyObject_GetBuffer(payload, &view, PyBUF_SIMPLE)
    try:
        if with_key:
            before += 4
        result = PyBytes_FromStringAndSize(NULL, before + view.len)
        target = <unsigned char *>PyBytes_AS_STRING(result)
        memcpy(target, PyBytes_AS_STRING(head), PyBytes_GET_SIZE(head))
        if with_key:
            memcpy(target + before - 4, key_bytes, 4)
        if view.len < _LET_OTHERS_RUN:
            _xor(target + before, <const unsigned char *>view.buf, view.len, key_bytes)
        else:
            with nogil:
                _xor(target + before, <const unsigned char *>view.buf, view.len, key_bytes)
        return result
    finally:
        PyBuffer_Release(&view)


def mask(payload, bytes key not None):
    """The payload XORed with the repeated key of 4 bytes. Masking twice gives the payload back."""
    return _masked(b"", payload, key, False)


cpdef bytes masked_frame(bytes head, payload, bytes key):
    """A frame of its head, the key and the masked payload."""
    return _masked(head, payload, key, True)
