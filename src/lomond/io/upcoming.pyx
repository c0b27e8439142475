# cython: language_level=3
"""The events for `async for`: what io/upcoming.py says, without a coroutine for each.

An event that is there is given by the slot that coroutines have for it (am_send, of Python 3.10),
so that neither an object nor an exception is made on its way.
"""

from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF

from lomond.io.driving cimport Driver

cdef extern from "Python.h":
    int _GIVEN "PYGEN_RETURN"
    int _send_on "PyIter_Send"(PyObject *awaited, PyObject *value, PyObject **result) except -1

cdef extern from *:
    """
    static int lomond_set_send(PyObject *kind, int (*send)(PyObject *, PyObject *, PyObject **)) {
        PyTypeObject *type = (PyTypeObject *)kind;
        if (type->tp_as_async == NULL) {
            PyErr_SetString(PyExc_SystemError, "what is awaited has no slots for it");
            return -1;
        }
        type->tp_as_async->am_send = (sendfunc)(void (*)(void))send;
        PyType_Modified(type);
        return 0;
    }
    """
    int _set_send "lomond_set_send"(object kind, int (*send)(PyObject *, PyObject *, PyObject **) except -1) except -1


cdef class _Next:
    """The next event, each time that it is awaited."""

    cdef Driver _driver
    cdef object _wait  # a coroutine, where it was not there

    def __cinit__(self, Driver driver not None):
        self._driver = driver

    def __await__(self):
        # A coroutine of its own tells a second task that it may not wait here.
        return self if self._wait is None else self._driver.next().__await__()

    def __iter__(self):
        return self

    def __next__(self):
        return self.send(None)

    def send(self, value):
        """Go on; what is waited for, or StopIteration with the event."""
        if self._wait is None:
            self._wait = self._driver.next()
        try:
            return self._wait.send(value)
        except BaseException:
            self._wait = None
            raise

    def throw(self, *error):
        """Go on with an error; what is waited for, or StopIteration with the event."""
        wait = self._wait or self._driver.next()
        try:
            return wait.throw(*error)
        except BaseException:
            self._wait = None
            raise

    def close(self):
        """Wait no more."""
        wait, self._wait = self._wait, None
        if wait is not None:
            wait.close()


cdef int _send(PyObject *awaited, PyObject *value, PyObject **result) except -1:
    cdef _Next self = <_Next>awaited
    cdef int status
    if self._wait is None:
        event = self._driver.at_once()
        if event is not None:
            Py_INCREF(event)
            result[0] = <PyObject *>event
            return _GIVEN
        self._wait = self._driver.next()
    wait = self._wait
    try:
        status = _send_on(<PyObject *>wait, value, result)
    except BaseException:
        self._wait = None
        raise
    if status == _GIVEN:
        self._wait = None
    return status


_set_send(_Next, _send)


cdef class Upcoming:
    """The events of a connection, for `async for`.

    Arguments:
        driver: Goes on with it.
    """

    cdef _Next _next

    def __cinit__(self, Driver driver not None, *_):
        self._next = _Next(driver)

    def __init__(self, driver):
        pass

    def __aiter__(self):
        return self

    def __anext__(self):
        return self._next
