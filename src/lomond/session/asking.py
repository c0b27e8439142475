"""What the user gave that is code, asked as a step of the opening: callables, mappings, jars.

A script, as opening.py, which it belongs to.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import partial
from typing import Any, Protocol

from ..checks import is_coroutine_function
from ..response import printable
from ..url import redact
from .requests import Answer, Ask, Await, Failed, Interrupted, Request, TimedOut

_MOST_SAID = 200  # characters of what the user's code raised


class Asks(Protocol):
    """Who knows what of the user's is to be asked."""

    asks: bool  #: whether any option is a callable
    awaits: bool  #: whether what the user's callables give may be awaited
    asked: str  #: what of the user's is used just now; for people

    def questions(self) -> list[tuple[str, Callable[[], Any]]]:
        """The names of options that are callables, and these."""
        ...

    def answer(self, name: str, value: Any) -> None:
        """Use what such a callable gave. Raises TypeError or ValueError: it can't be that."""
        ...


def questions(plan: Asks, deadline: float | None) -> Generator[Request, Answer, None]:
    """Ask the user's callables, one after another."""
    for name, call in plan.questions():
        plan.asked = f"{name}="
        late = f"what {name}= calls took that long"
        is_async = plan.awaits and is_coroutine_function(call)
        request = Await(call, deadline) if is_async else Ask(call, deadline)
        value = (yield from _told(plan, request, late)).value
        if not is_async and plan.awaits and hasattr(value, "__await__"):
            first = [value]
            again = partial(_first_or_again, first, call)
            try:
                value = (yield from _told(plan, Await(again, deadline), late)).value
            finally:
                for left in first:  # of which nobody came to await it
                    if hasattr(left, "close"):
                        left.close()
        yield from _told(plan, Ask(partial(plan.answer, name, value), None), late)


def _first_or_again(first: list[Any], call: Callable[[], Any]) -> Any:
    return first.pop() if first else call()


def _told(plan: Asks, request: Ask | Await, late: str) -> Generator[Request, Answer, Answer]:
    """The answer of the user's code; a failure says whose it is."""
    try:
        return (yield request)
    except Failed as failure:
        blame(plan, failure, late)
        raise


def blame(plan: Asks, failure: Failed, late: str) -> None:
    """Have a failure of the user's code say whose it is.

    Arguments:
        late: What is said where it took too long.
    """
    if isinstance(failure, Interrupted):
        return
    if isinstance(failure, TimedOut):
        failure.said = late
        return
    failure.said = raised(plan.asked, failure.cause)


def raised(asked: str, cause: BaseException) -> str:
    """That the user's code raised this, in words.

    Arguments:
        asked: What of the user's was used.
        cause: What it raised.
    """
    said = f"{asked} raised {type(cause).__name__}"
    text = str(cause)
    return f"{said}: {printable(redact(text))[:_MOST_SAID]}" if text else said
