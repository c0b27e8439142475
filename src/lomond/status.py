"""Close codes, RFC 6455 section 7.4.1 and IANA's registry of WebSocket close codes."""


class Status:
    """Close codes that have a meaning, as ints.

    Example:
        >>> Status.GOING_AWAY
        1001
    """

    NORMAL = 1000
    GOING_AWAY = 1001
    PROTOCOL_ERROR = 1002
    DATA_NOT_UNDERSTOOD = 1003
    BAD_DATA = 1007
    POLICY_VIOLATION = 1008
    MESSAGE_TOO_LARGE = 1009
    EXTENSION_FAILED = 1010
    UNEXPECTED_CONDITION = 1011

    #: Codes below 3000 that must not stand in a close frame. Codes from 5000 on must not either.
    invalid_codes = frozenset({*range(1000), 1004, 1005, 1006, *range(1015, 3000)})


#: Close code -> what it means, for people; IANA's registry.
NAMES = {
    1000: "normal closure",
    1001: "going away",
    1002: "protocol error",
    1003: "unsupported data",
    1007: "invalid payload data",
    1008: "policy violation",
    1009: "message too big",
    1010: "mandatory extension missing",
    1011: "internal error",
    1012: "service restart",
    1013: "try again later",
    1014: "bad gateway",
}


def may_be_sent(code: int) -> bool:
    """Whether a close frame may carry this code (RFC 6455 section 7.4.1 and 7.4.2).

    Arguments:
        code: Any int.

    Example:
        >>> may_be_sent(1000), may_be_sent(1006)
        (True, False)
    """
    return 1000 <= code <= 4999 and code not in Status.invalid_codes
