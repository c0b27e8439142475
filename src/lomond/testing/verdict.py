"""What a test's servers found wrong, and how that is told where their block ends."""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .world import Scripted


def remarks_of(servers: Iterable[Scripted]) -> list[str]:
    """What is to be known of servers where anything was wrong, in sentences."""
    asked = [getattr(server, "remarks", None) for server in each(servers)]
    return [remark for remarks in asked if remarks is not None for remark in remarks()]


def each(servers: Iterable[Scripted]) -> list[Scripted]:
    """The servers, each once, however often it was given."""
    return list({id(server): server for server in servers}.values())


def tell(
    error: BaseException | None,
    failures: Sequence[BaseException],
    sentences: Sequence[str],
    remarks: Sequence[str],
    where: str,
) -> None:
    """Raise what was wrong, or have what the block has raised tell it too.

    Arguments:
        error: What the block has raised; None if it has not.
        failures: What scripts have raised; the first counts.
        sentences: What else was wrong.
        remarks: What is to be known then.
        where: Of notes on what the block has raised.
    """
    __tracebackhide__ = True  # from pytest's reader: what is said is all that there is to know
    sentences = _counted(sentences)
    if error is not None:
        others = [said_by(failure) for failure in failures if failure is not error]
        for note in [*others, *sentences, *remarks]:
            error.add_note(f"{where}: {note}")
    elif failures:
        first, *more = failures
        for note in [*map(said_by, more), *sentences, *remarks]:
            first.add_note(note)
        raise first from None
    elif sentences:
        raise AssertionError("\n".join([*sentences, *remarks]))


def _counted(sentences: Iterable[str]) -> list[str]:
    """The sentences, each once: servers that a loop has made say the same."""
    counts = Counter(sentences)
    return [said if times == 1 else f"{said} ({times} times)" for said, times in counts.items()]


def said_by(failure: BaseException) -> str:
    """What a script has raised, with where it did; of what nobody has raised the words."""
    if type(failure) is AssertionError and failure.__traceback__ is None:
        return str(failure)
    return "".join(traceback.format_exception(failure)).rstrip()
