"""What was found, as lines for people or for programs; nothing a peer says controls a terminal."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

from ...ending import duration
from ...redaction import Discretion
from ...response import escaped

_SHOWN = {"ok": "ok", "warn": "warn", "fail": "FAIL"}
_COLOURS = {"ok": "32", "warn": "33", "fail": "31"}
_NAME = 12  # characters of a check's name
_LONGEST_BAR = 40  # characters
_BESIDE_BAR = 24  # characters: the phase before it, its time behind it


class Finding(NamedTuple):
    """What one check has come to."""

    check: str
    result: str  #: ``"ok"``, ``"warn"`` or ``"fail"``
    measured: str
    advice: str = ""
    seconds: float | None = None  #: what it took, if that says something
    chain: Sequence[dict[str, Any]] | None = None  #: of certificates, for programs


class Report:
    """Prints each finding as it comes, and knows the exit status.

    Arguments:
        jsonl: Whether each is an object of JSON.
        discretion: Knows what is secret.

    Attributes:
        status: Of the first that failed; 0 if none did.
    """

    def __init__(self, jsonl: bool, discretion: Discretion) -> None:
        out = sys.stdout  # None where it was closed
        self._jsonl = jsonl
        self._discretion = discretion
        self._encoding = getattr(out, "encoding", None) or "utf-8"
        self._is_terminal = out is not None and out.isatty() and not jsonl
        is_dumb = "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb"
        self._has_colours = self._is_terminal and not is_dumb
        self._phases: Sequence[tuple[str, float]] = ()
        self.status = 0

    def ok(self, check: str, measured: str, advice: str = "", seconds: float | None = None) -> None:
        """Say that something is as it should be."""
        self._add(Finding(check, "ok", measured, advice, seconds))

    def warn(self, check: str, measured: str, advice: str, seconds: float | None = None) -> None:
        """Say that something works, and should be seen to."""
        self._add(Finding(check, "warn", measured, advice, seconds))

    def chain(self, measured: str, advice: str, links: Sequence[dict[str, Any]]) -> None:
        """Say what the chain of certificates is, and what should be seen to, if anything."""
        self._add(Finding("chain", "warn" if advice else "ok", measured, advice, None, links))

    def fail(
        self, check: str, measured: str, advice: str, status: int, seconds: float | None = None
    ) -> None:
        """Say that something does not work; the first such decides on the exit status."""
        self.status = self.status or status
        self._add(Finding(check, "fail", measured, advice, seconds))

    def phases(self, phases: Sequence[tuple[str, float]]) -> None:
        """Where the time of the connection went: phases and their seconds, for `end`."""
        self._phases = phases

    def end(self) -> None:
        """The bars, on a terminal."""
        if not self._is_terminal or not self._phases:
            return
        longest = max(seconds for _, seconds in self._phases) or 1.0
        columns = shutil.get_terminal_size().columns
        width = max(1, min(_LONGEST_BAR, columns - _BESIDE_BAR))
        mark = self._fitting("\N{BLACK SQUARE}", "#")
        self._print("")
        for name, seconds in self._phases:
            bar = mark * max(1, round(width * seconds / longest))
            self._print(f"{name:<9} {self._coloured('36', f'{bar:<{width}}')} {span(seconds)}")

    def _add(self, finding: Finding) -> None:
        known = self._discretion
        measured, advice = (
            escaped(known.text(text)) for text in (finding.measured, finding.advice)
        )
        if self._jsonl:
            shown = finding._replace(measured=measured, advice=advice)._asdict()
            if finding.chain is None:
                del shown["chain"]
            else:
                shown["chain"] = [self._discreet(link) for link in finding.chain]
            self._print(json.dumps(shown))
            return
        took = "" if finding.seconds is None else f" ({span(finding.seconds)})"
        took = took if took.strip(" ()") not in measured else ""
        result = f"{_SHOWN[finding.result]:<4}"
        line = f"{self._coloured(_COLOURS[finding.result], result)}  {finding.check:<{_NAME}}"
        dash = self._fitting("\N{EM DASH}", "--")
        self._print(f"{line} {measured}{took}" + (f"   {dash} {advice}" if advice else ""))

    def _discreet(self, link: dict[str, Any]) -> dict[str, Any]:
        known = self._discretion
        return {name: known.text(v) if isinstance(v, str) else v for name, v in link.items()}

    def _coloured(self, colour: str, text: str) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if self._has_colours else text

    def _fitting(self, text: str, otherwise: str) -> str:
        try:
            text.encode(self._encoding)
        except UnicodeEncodeError:
            return otherwise
        return text

    def _print(self, line: str) -> None:
        fit = line.encode(self._encoding, "backslashreplace").decode(self._encoding)
        print(fit, flush=True)


def span(seconds: float) -> str:
    """A time, for people."""
    return f"{seconds * 1000:.3g} ms" if seconds < 0.9995 else duration(seconds)
