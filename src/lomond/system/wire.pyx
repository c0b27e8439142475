# cython: language_level=3
"""The system calls that carry a connection's bytes: what system/plain.py says, without Python between.

What a stream brings is read into one piece of memory again and again: a large piece that is made
anew for each read costs more than the read, because the system has to find zeroed pages for it.
"""

import os

from .plain import Wire as _PlainWire, is_plain as _is_plain

from cpython.buffer cimport PyBUF_SIMPLE, PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.exc cimport PyErr_CheckSignals, PyErr_SetFromErrno
from cpython.object cimport PyObject
from cpython.ref cimport Py_XDECREF
from libc.errno cimport EAGAIN, EINTR
from libc cimport errno

cdef extern from "Python.h":
    int _PyBytes_Resize(PyObject **bytes, Py_ssize_t size) except -1
    PyObject *_new_bytes "PyBytes_FromStringAndSize"(const char *text, Py_ssize_t size) except NULL
    char *_start "PyBytes_AS_STRING"(PyObject *bytes) nogil
    Py_ssize_t _references "Py_REFCNT"(PyObject *o)
    void _set_size "Py_SET_SIZE"(PyObject *o, Py_ssize_t size)

cdef extern from *:
    """
    #ifdef _WIN32
    /* Sockets go the way of system/plain.py there. */
    static Py_ssize_t lomond_recv(int fd, char *room, Py_ssize_t size, int waits) { return -EINVAL; }
    static Py_ssize_t lomond_send(int fd, const char *data, Py_ssize_t size) { return -EINVAL; }
    #else
    #include <errno.h>
    #include <sys/socket.h>
    #ifndef MSG_NOSIGNAL
    #define MSG_NOSIGNAL 0
    #endif
    static Py_ssize_t lomond_recv(int fd, char *room, Py_ssize_t size, int waits) {
        Py_ssize_t count = recv(fd, room, (size_t)size, waits ? 0 : MSG_DONTWAIT);
        return count < 0 ? -errno : count;
    }
    static Py_ssize_t lomond_send(int fd, const char *data, Py_ssize_t size) {
        Py_ssize_t count = send(fd, data, (size_t)size, MSG_DONTWAIT | MSG_NOSIGNAL);
        return count < 0 ? -errno : count;
    }
    #endif

    static void lomond_forget_hash(PyObject *bytes) {
    #if PY_VERSION_HEX < 0x030B0000
        ((PyBytesObject *)bytes)->ob_shash = -1;
    #else
        _Py_COMP_DIAG_PUSH
        _Py_COMP_DIAG_IGNORE_DEPR_DECLS
        ((PyBytesObject *)bytes)->ob_shash = -1;
        _Py_COMP_DIAG_POP
    #endif
    }
    """
    Py_ssize_t _recv "lomond_recv"(int fd, char *room, Py_ssize_t size, bint waits) nogil
    Py_ssize_t _send "lomond_send"(int fd, const char *data, Py_ssize_t size) nogil
    void _forget_hash "lomond_forget_hash"(PyObject *bytes)


cdef Py_ssize_t _MOST = 512 * 1024  # bytes
cdef bint _IS_POSIX = os.name == "posix"


cdef int _judge(int number) except -1:
    """Raise the system's error, unless it says "not now"."""
    if number == EINTR:
        PyErr_CheckSignals()  # raises what a handler raised
    elif number != EAGAIN:
        errno.errno = number
        PyErr_SetFromErrno(OSError)
    return 0


cdef class Wire:
    """One socket. That it has, or takes, nothing now is no error here.

    Arguments:
        sock: Connected.
    """

    # `_data` is a bytes object that is written and resized while nobody else has it.

    def __cinit__(self, sock, *_):  # a class made of this one may take more
        self._data = NULL
        self._size = 0
        self._fileno = sock.fileno
        self._other = None if _IS_POSIX and _is_plain(type(sock)) else _PlainWire(sock)
        self.most = _MOST if self._other is None else self._other.most

    def __init__(self, sock):
        pass  # for classes made of this one, as the plain one has it

    def __dealloc__(self):
        Py_XDECREF(<PyObject *>self._data)

    cpdef bytes receive(self, Py_ssize_t size, bint waits):
        """Read once; the bytes, empty at the end of the stream, None if nothing came.

        Let go of them before the next call, so that their memory can be used again; it is given
        back when nothing comes, and by `release`.
        """
        cdef Py_ssize_t count
        cdef PyObject *data
        cdef int fd
        if self._other is not None:
            return self._other.receive(size, waits)
        fd = self._fileno()
        data = <PyObject *>self._data
        self._data = NULL  # it is ours alone while we read
        if data == NULL or size != self._size or _references(data) != 1:
            Py_XDECREF(data)
            data = _new_bytes(NULL, size)
            self._size = size
        with nogil:
            count = _recv(fd, _start(data), size, waits)
        if count < 0:
            Py_XDECREF(data)
            _judge(-count)
            return None
        _forget_hash(data)
        _set_size(data, count)
        _start(data)[count] = 0
        self._data = <void *>data
        self.keeps = True
        return <bytes>data

    cpdef bytes receive_apart(self, Py_ssize_t size, bint waits):
        """What came; empty at the end of the stream, None if nothing did. Raises OSError.

        Arguments:
            size: Bytes at most.
            waits: Whether to wait for them, if the socket waits.
        """
        cdef Py_ssize_t count
        cdef PyObject *data
        cdef int fd
        if self._other is not None:
            return self._other.receive_apart(size, waits)
        fd = self._fileno()
        data = _new_bytes(NULL, size)
        with nogil:
            count = _recv(fd, _start(data), size, waits)
        if count < 0:
            Py_XDECREF(data)
            _judge(-count)
            return None
        _PyBytes_Resize(&data, count)
        try:
            return <bytes>data
        finally:
            Py_XDECREF(data)

    cpdef Py_ssize_t receive_into(self, room, bint waits) except -2:
        """Read into the room; the number of bytes, -1 if nothing came."""
        cdef Py_buffer view
        cdef Py_ssize_t count
        cdef int fd
        if self._other is not None:
            return self._other.receive_into(room, waits)
        fd = self._fileno()
        PyObject_GetBuffer(room, &view, PyBUF_WRITABLE)
        with nogil:
            count = _recv(fd, <char *>view.buf, view.len, waits)
        PyBuffer_Release(&view)
        if count < 0:
            _judge(-count)
            return -1
        return count

    cpdef Py_ssize_t send(self, data) except -1:
        """Hand the system what it takes now; the number of bytes. Raises OSError."""
        cdef Py_buffer view
        cdef Py_ssize_t count
        cdef int fd
        if self._other is not None:
            return self._other.send(data)
        fd = self._fileno()
        PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
        with nogil:
            count = _send(fd, <const char *>view.buf, view.len)
        PyBuffer_Release(&view)
        if count < 0:
            _judge(-count)
            return 0
        return count

    cpdef release(self):
        """The stream has paused: keep no memory."""
        cdef PyObject *data = <PyObject *>self._data
        self._data = NULL
        self.keeps = False
        Py_XDECREF(data)
