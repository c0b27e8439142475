# cython: language_level=3
"""The bytes of a message as they come: what protocol/buffer.py says, in the very object that the
user gets."""

from cpython.buffer cimport (
    PyBUF_SIMPLE,
    PyBuffer_FillInfo,
    PyBuffer_Release,
    PyObject_GetBuffer,
)
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from cpython.object cimport PyObject
from cpython.ref cimport Py_XDECREF
from libc.string cimport memcpy

cdef extern from "Python.h":
    int _PyBytes_Resize(PyObject **bytes, Py_ssize_t size) except -1
    PyObject *_new_bytes "PyBytes_FromStringAndSize"(const char *text, Py_ssize_t size) except NULL
    char *_start "PyBytes_AS_STRING"(PyObject *bytes)
    str PyUnicode_DecodeUTF8(const char *text, Py_ssize_t size, const char *errors)
    object PyUnicode_DecodeUTF8Stateful(
        const char *text, Py_ssize_t size, const char *errors, Py_ssize_t *consumed
    )

FIRST_ROOM = 256 * 1024
cdef Py_ssize_t _FIRST = FIRST_ROOM


cpdef bytes joined(bytes data, Py_ssize_t start, Py_ssize_t end, bytes tail):
    """The data from the start to the end, and a tail behind it."""
    cdef Py_ssize_t size = end - start
    cdef bytes result
    cdef char *target
    if not 0 <= start <= end <= len(data):
        raise ValueError("there are no such bytes")
    result = PyBytes_FromStringAndSize(NULL, size + len(tail))
    target = PyBytes_AS_STRING(result)
    memcpy(target, PyBytes_AS_STRING(data) + start, size)
    memcpy(target + size, PyBytes_AS_STRING(tail), len(tail))
    return result


cdef class Buffer:
    """Bytes in one piece, and room for more, which at most doubles.

    Attributes:
        size: Bytes that are here.
    """

    # `_data` is a bytes object that nobody else has seen yet, so that it may be written and resized.

    def __cinit__(self):
        self._data = NULL

    def __dealloc__(self):
        Py_XDECREF(<PyObject *>self._data)

    def __getbuffer__(self, Py_buffer *view, int flags):
        cdef Py_ssize_t length = min(self._capacity - self.size, self._most)
        if self._data == NULL:
            raise BufferError("there is no room yet")
        PyBuffer_FillInfo(view, self, _start(<PyObject *>self._data) + self.size, length, 0, flags)
        self._exports += 1

    def __releasebuffer__(self, Py_buffer *view):
        self._exports -= 1

    cdef int _resize(self, Py_ssize_t capacity) except -1:
        cdef PyObject *data = <PyObject *>self._data
        if self._exports:
            raise BufferError("the room is still in use")
        self._data = NULL  # where it fails, there is no object any more
        self._capacity = 0
        if data == NULL:
            data = _new_bytes(NULL, capacity)
        else:
            _PyBytes_Resize(&data, capacity)
        self._data = <void *>data
        self._capacity = capacity
        return 0

    cdef char *_bytes(self) except NULL:
        if self._data == NULL:
            raise MemoryError("what came of a message was lost when there was no memory for more")
        return _start(<PyObject *>self._data)

    cpdef room(self, most):
        """Where the next bytes may be put, at most so many; release it before anything else."""
        cdef Py_ssize_t size = self.size
        if size:
            self._bytes()
        if size == self._capacity:
            self._resize(size + min(most, max(_FIRST, size)))
        self._most = most
        return memoryview(self)

    cpdef filled(self, Py_ssize_t count):
        """`count` bytes were put into the room."""
        if not 0 <= count <= self._capacity - self.size:
            raise ValueError("more was filled than there is room")
        self.size += count

    cpdef add(self, data):
        """More bytes."""
        cdef Py_buffer view
        cdef Py_ssize_t end
        if self.size:
            self._bytes()
        PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
        try:
            end = self.size + view.len
            if end > self._capacity or self._data == NULL:
                self._resize(max(end, min(2 * self.size, end + _FIRST)) if self.size else end)
            memcpy(_start(<PyObject *>self._data) + self.size, view.buf, view.len)
            self.size = end
        finally:
            PyBuffer_Release(&view)

    cpdef Py_ssize_t count_utf8(self, Py_ssize_t start) except -1:
        """How many bytes from `start` are whole code points. Raises UnicodeDecodeError."""
        cdef Py_ssize_t consumed = 0
        if not 0 <= start <= self.size:
            raise ValueError("there is no such start")
        if start < self.size:
            PyUnicode_DecodeUTF8Stateful(
                self._bytes() + start, self.size - start, "strict", &consumed
            )
        return consumed

    cpdef tuple beginning(self, Py_ssize_t size):
        """The code points that are whole in the first so many bytes, and how many these take.

        Raises UnicodeDecodeError.
        """
        cdef Py_ssize_t consumed = 0
        if not 0 <= size <= self.size:
            raise ValueError("there are no such bytes")
        if not size:
            return "", 0
        text = PyUnicode_DecodeUTF8Stateful(self._bytes(), size, "strict", &consumed)
        return text, consumed

    cpdef bytes tail(self, Py_ssize_t start):
        """The bytes from `start`."""
        if not 0 <= start < self.size:
            return b""
        return PyBytes_FromStringAndSize(self._bytes() + start, self.size - start)

    cpdef str text(self):
        """All as text. Raises UnicodeDecodeError."""
        if self.size == 0:
            return ""
        return PyUnicode_DecodeUTF8(self._bytes(), self.size, "strict")

    cpdef bytes data(self):
        """All as bytes."""
        if self.size == 0:
            return b""
        self._bytes()
        if self.size != self._capacity:
            self._resize(self.size)
        return <bytes>self._data
