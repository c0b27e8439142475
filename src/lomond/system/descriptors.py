"""What a failure means where the process, or the system, has no file descriptor left."""

from __future__ import annotations

import contextlib
import errno
import os

# Loaded before it is needed: then there is no descriptor to load it by.
try:
    import resource
except ImportError:  # on Windows
    resource = None  # type: ignore[assignment]  # Windows has none

_OUT = (errno.EMFILE, errno.ENFILE)
_WANTED = 2  # descriptors; what a lookup of a name, or an import, has open at a time


def told(error: BaseException) -> BaseException:
    """The error; in words that say which limit was met, where it is one of descriptors."""
    if isinstance(error, OSError) and error.errno in _OUT:
        return OSError(error.errno, words(error.errno))
    return error


def behind(error: BaseException) -> BaseException:
    """What to tell of an error that may hide that no descriptor is left.

    A name is not found where the resolver can't open its files, nor a module where Python can't.
    """
    number = _missing()
    if number is None or (isinstance(error, OSError) and error.errno in _OUT):
        return told(error)
    return OSError(number, f"{words(number)} ({error})")


def words(number: int) -> str:
    """What has run out, and where to look."""
    said = os.strerror(number)
    if number == errno.ENFILE:
        return f"{said}: the whole system has no file descriptor left"
    most = -1 if resource is None else resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    limit = f"{most} that it may have" if most >= 0 else "that it may have"
    return f"{said}: this process has no file descriptor left of the {limit}, see 'ulimit -n'"


def check() -> None:
    """Raise OSError if none are left."""
    number = _missing()
    if number is not None:
        raise OSError(number, words(number))


def _missing() -> int | None:
    """EMFILE or ENFILE where there are fewer than what is wanted."""
    with contextlib.ExitStack() as stack:
        try:
            for _ in range(_WANTED):
                stack.callback(os.close, os.open(os.devnull, os.O_RDONLY))
        except OSError as error:
            return error.errno if error.errno in _OUT else None
    return None
