"""Files to which whole lines are appended, by any thread, and by several processes at a time."""

from __future__ import annotations

import contextlib
import os
from stat import S_ISREG
from weakref import WeakValueDictionary

from . import forking

_MODE = 0o600  # of a file that is made: what is in it may be private


class Lines:
    """A file that lines are appended to, each in one write that is not held back.

    Arguments:
        path: Of the file, which is made if it is not there.

    Attributes:
        mark: What tells the lines of this process from others' in the same file; empty where this
            process has made the file.
        began_at: The moment that the first line told, or None.
        has_failed: Whether a line could not be written: no others are.

    Raises:
        OSError: It can't be opened.
    """

    __slots__ = ("__weakref__", "_file", "_is_cut", "_path", "began_at", "has_failed", "mark")

    def __init__(self, path: str) -> None:
        self._path = path
        self._file: int | None = None
        self.began_at: float | None = None
        self.has_failed = False
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)
        try:
            self._file = os.open(path, flags | os.O_EXCL, _MODE)
            self.mark = ""
        except FileExistsError:
            self._file = os.open(path, flags, _MODE)
            self.mark = new_mark()
        self._is_cut = bool(self.mark) and _ends_within_a_line(path)
        forking.watch(self)

    def forked(self) -> None:
        self.mark = new_mark()
        self.began_at = None

    def append(self, line: bytes) -> None:
        """Append a line, which brings its end along. Raises OSError; then no other one is taken."""
        if self.has_failed or self._file is None:
            return
        if self._is_cut:  # who wrote before did not come to the end of a line
            self._is_cut = False
            line = b"\n" + line
        try:
            while (taken := os.write(self._file, line)) < len(line):
                line = line[taken:]
        except OSError:
            self.has_failed = True  # who goes on would do so within this line
            raise
        except BaseException:
            self._is_cut = True  # a signal handler raised: nobody knows whether all was written
            raise

    def is_at(self) -> bool:
        """Whether the file is still what is found at its path."""
        try:
            found = os.stat(self._path)
            return self._file is not None and os.path.samestat(found, os.fstat(self._file))
        except OSError:
            return False

    def __del__(self) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):
                os.close(self._file)


#: Those that somebody has, by their absolute paths.
_open: WeakValueDictionary[str, Lines] = WeakValueDictionary()


def lines_of(path: str | os.PathLike[str]) -> Lines:
    """The file at a path: the same for all who ask as long as one has it, and it stays there.

    Raises:
        OSError: It can't be opened.
    """
    where = os.path.abspath(path)
    known = _open.get(where)
    if known is None or known.has_failed or not known.is_at():
        known = _open[where] = Lines(where)
    return known


def new_mark() -> str:
    """What tells the lines of one recording from others' in the same file."""
    return os.urandom(4).hex()


def _ends_within_a_line(path: str) -> bool:
    """Whether the last line of a file has no end. What can't be read is taken to be whole."""
    with contextlib.suppress(OSError), open(path, "rb") as file:
        if S_ISREG(os.fstat(file.fileno()).st_mode) and file.seek(0, os.SEEK_END):
            file.seek(-1, os.SEEK_END)
            return file.read(1) != b"\n"
    return False
