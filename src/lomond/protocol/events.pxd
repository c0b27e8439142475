cimport cython

cdef class Event:
    cdef public double received_time

cdef class Notice(Event):
    pass

cdef class FailureEvent(Notice):
    cdef public object address
    cdef public object cause
    cdef public object elapsed
    cdef public object phase
    cdef public object timings

cdef class Connecting(Notice):
    cdef public object url

cdef class ConnectFail(FailureEvent):
    cdef public object ending
    cdef public object reason
    cdef public object response

cdef class Connected(Notice):
    cdef public object address
    cdef public object proxy
    cdef public object proxy_source
    cdef public object tls
    cdef public object url

cdef class Rejected(FailureEvent):
    cdef public object reason
    cdef public object response

cdef class Ready(Notice):
    cdef public object compression
    cdef public object extensions
    cdef public object gap
    cdef public object number
    cdef public object protocol
    cdef public object response
    cdef public object timings

cdef class Entered(Notice):
    cdef public object gap
    cdef public object number

cdef class ProtocolError(FailureEvent):
    cdef public object code
    cdef public object critical
    cdef public object error
    cdef public object section

cdef class Unresponsive(FailureEvent):
    pass

cdef class Disconnected(FailureEvent):
    cdef public object ending
    cdef public object graceful
    cdef public object reason
    cdef public object unconfirmed

cdef class Closed(Notice):
    cdef public object code
    cdef public object reason

cdef class Closing(Notice):
    cdef public object code
    cdef public object reason

cdef class UnknownMessage(Notice):
    cdef public object message

cdef class Ping(Notice):
    cdef public object data

cdef class Pong(Notice):
    cdef public object data

cdef class Text(Event):
    cdef public object _json
    cdef public object text

cdef class Binary(Event):
    cdef public object data

cdef class Part(Notice):
    cdef public bint is_first
    cdef public bint is_last
    cdef public Py_ssize_t offset

cdef class TextPart(Part):
    cdef public object text

cdef class BinaryPart(Part):
    cdef public object data

cdef class Reply(Notice):
    cdef public object message
    cdef public object request

cdef class NoReply(Notice):
    cdef public object ending
    cdef public object request

cdef class BackOff(Notice):
    cdef public object attempt
    cdef public object delay
    cdef public object ending
    cdef public object reason
    cdef public object unconfirmed

cdef class Posted(Notice):
    cdef public object value

cdef class Poll(Notice):
    pass
