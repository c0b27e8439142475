"""What a reader sees: whether it is what the page says, and where the reader presses Ctrl-C."""

from __future__ import annotations

import doctest
import io
import re
import signal
import threading
from itertools import zip_longest

#: The line at which a reader presses Ctrl-C.
CTRL_C = "^C\n"
_checker = doctest.OutputChecker()
#: A time of which the page has the whole seconds, or anything.
_GAP = re.compile(r"((?P<time>(?<![\w.])\d+(?=\.{3} s\b)|(?<=seconds=)\d+(?=\.{3})))?\.{3}")
_LATE = 10.0  # seconds
_COARSE = 0.05  # what two clocks may differ by


def is_as_said(said: str, seen: str) -> bool:
    """Whether that was printed; ``...`` stands for whatever there is, ``1... s`` about one.

    The machine of who wrote the page took that long; another takes half of it, or some seconds
    more, and what the page says is as true.
    """
    said, seen = _clean(said), _clean(seen)
    anything = _GAP.sub("...", said)
    if not _checker.check_output(anything, seen, doctest.ELLIPSIS):
        return False
    times = [float(gap["time"]) for gap in _GAP.finditer(said) if gap["time"]]
    if not times:
        return True
    gaps = (r"(-?[\d.e-]+)" if gap["time"] else ".*?" for gap in _GAP.finditer(said))
    between = (re.escape(text) for text in anything.split("..."))
    pattern = "".join(a + b for a, b in zip_longest(between, gaps, fillvalue=""))
    took = re.fullmatch(pattern, seen, re.DOTALL)
    return took is not None and all(
        time / 2 - _COARSE <= float(seconds) <= time + _LATE
        for time, seconds in zip(times, took.groups(), strict=True)
    )


def difference(said: str, seen: str) -> str:
    """What to read where it was not."""
    example = doctest.Example("", _clean(said))
    flags = doctest.ELLIPSIS | doctest.REPORT_NDIFF
    return _checker.output_difference(example, _clean(seen), flags)


def _clean(text: str) -> str:
    """Without what nobody sees: spaces at the ends of lines, lines at the end."""
    lines = [line.rstrip() for line in text.replace(CTRL_C, "").splitlines()]
    text = "\n".join(lines).strip("\n")
    return text + "\n" if text else ""


class Screen(io.StringIO):
    """Where a block of Python prints; it presses Ctrl-C where the page has ``^C``.

    Arguments:
        said: What the page says that is printed.
        port: That of the page, which stands there as `as_port`.
    """

    def __init__(self, said: str, port: int, as_port: str) -> None:
        super().__init__()
        before, mark, _ = said.partition(CTRL_C)
        self._before = before if mark else None
        self._most = 2 * said.count("\n") + 50  # lines
        self._port, self._as_port = str(port), as_port

    def seen(self) -> str:
        """All that was printed."""
        return self.getvalue().replace(self._port, self._as_port)

    def write(self, text: str) -> int:
        """Print; raises KeyboardInterrupt where the reader has seen enough.

        Raises:
            AssertionError: Far more is printed than a reader waits for.
        """
        count = super().write(text)
        if self._before is not None and self.getvalue().count("\n") > self._most:
            raise AssertionError(f"too much\n{difference(self._before, self.seen())}")
        is_whole = text.endswith("\n")  # a line, of which print() writes the end by itself
        if self._before is not None and is_whole and is_as_said(self._before, self.seen()):
            self._before = None
            if threading.current_thread() is threading.main_thread():
                raise KeyboardInterrupt
            main = threading.main_thread().ident
            assert main is not None
            signal.pthread_kill(main, signal.SIGINT)
        return count
