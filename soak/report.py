"""The sum of what the clients counted, and what must be 0 in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import median
from typing import Any, NamedTuple

#: What must be 0, by the name of its count.
MUSTS = {
    "wrong": "echoed wrongly, or twice",
    "never echoed": "accepted on a connection that stayed, and never echoed",
    "broke on a kind network": "connections that ended though the network kept them",
    "senders that hang": "sends that never returned",
    "hung": "client threads that did not end",
    "clients that died": "client processes that died",
}
PLAIN = {
    "sent": "messages sent (`send_*` returned)",
    "echoed": "messages echoed, whole and in their order",
    "lost with a connection": "sent, and not echoed before the network ended the connection",
    "opened": "connections opened",
    "closed": "of them closed by us, after the last echo",
    "broken": "of them ended by the network",
    "failed to open": "connections that the network ended before they were open",
    "unresponsive": "noticed by a ping alone",
}
MOST_GROWTH = 8 * 1024 * 1024  # bytes of one process
LEAST_SECONDS = 120.0  # of a run whose memory can be judged
_MIB = 1024 * 1024


class Growth(NamedTuple):
    """Memory of one process, bytes: after the warm-up, and at the end."""

    before: float
    after: float


class Summary:
    """Of all clients.

    Arguments:
        results: What each said.
        faults: How often the network did what.
        seconds: How long it took.

    Attributes:
        wrong: What went wrong, in words.
    """

    def __init__(
        self, results: Sequence[dict[str, Any]], faults: Counter[str], seconds: float
    ) -> None:
        self.wrong = [line for result in results for line in result.get("wrong", ())]
        self._faults = faults
        self._seconds = seconds
        self._twins = Counter(result.get("twin", "?") for result in results)
        self._counts: Counter[str] = Counter()
        for result in results:
            self._counts.update(result["counts"])
            self._counts["hung"] += result.get("hung", 0)
        whole = [result for result in results if "memory" in result]
        self._descriptors = [sum(result["descriptors"][i] for result in whole) for i in (0, 1)]
        self._growths = [growth(result["memory"]) for result in whole]

    def is_good(self) -> bool:
        """Whether all that must be 0 is, and there was something to judge."""
        self._add_words()
        return not self.wrong

    def _add_words(self) -> None:
        self.wrong += [
            f"{self._counts[name]} {words}" for name, words in MUSTS.items() if self._counts[name]
        ]
        before, after = self._descriptors
        if after > before:
            self.wrong.append(f"{after} descriptors are open, of {before} at the start")
        if self._seconds >= LEAST_SECONDS and self._worst() > MOST_GROWTH:
            self.wrong.append(f"a process grew by {self._worst() / _MIB:.1f} MiB")
        if not self._counts["closed"] or not self._faults:
            self.wrong.append("nothing was tried")

    def _worst(self) -> float:
        return max((g.after - g.before for g in self._growths), default=0.0)

    def table(self) -> str:
        """In Markdown."""
        twins = " and ".join(f"{count} {twin}" for twin, count in sorted(self._twins.items()))
        rows = [f"| {self._seconds:g} s, client processes: {twins} | |", "|---|--:|"]
        rows += [f"| {words} | {self._counts[name]:,} |" for name, words in PLAIN.items()]
        rows += [f"| {words} (must be 0) | {self._counts[name]:,} |"
                 for name, words in MUSTS.items()]  # fmt: skip
        did = ", ".join(f"{count:,} {name}" for name, count in sorted(self._faults.items()) if name)
        before, after = self._descriptors
        rows.append(f"| what the network did, of its directions | {did} |")
        rows.append(f"| open descriptors at the start, at the end | {before}, {after} |")
        for growth in self._growths:
            rows.append(
                f"| memory of a process after the warm-up, at the end | "
                f"{growth.before / _MIB:.1f} MiB, {growth.after / _MIB:.1f} MiB |"
            )
        return "\n".join(rows)


def growth(samples: Sequence[int]) -> Growth:
    """From samples of memory: the second quarter, and the last."""
    quarter = max(1, len(samples) // 4)
    second, last = samples[quarter : 2 * quarter], samples[-quarter:]
    return Growth(median(second or [0]), median(last or [0]))
