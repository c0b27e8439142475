"""The script asks the user's callables, one after another, before all else."""

from __future__ import annotations

import os
from typing import Any

import pytest

from lomond.options import Limits, Timing
from lomond.session.opening import conversation
from lomond.session.requests import Answer, Ask, Await, Deliver, Failed, Interrupted, Resolve
from lomond.session.session import Session
from lomond.testing.plans import PretendPlan


class Asks(PretendPlan):
    """A plan of which the URL is to be asked for."""

    def __init__(self, call: Any, awaits: bool) -> None:
        super().__init__(os.urandom)
        self.asks, self.awaits = True, awaits
        self.call = call
        self.given: list[tuple[str, Any]] = []

    def questions(self) -> list[tuple[str, Any]]:
        return [("url", self.call)]

    def answer(self, name: str, value: Any) -> None:
        self.given.append((name, value))


def begun(plan: Asks) -> Any:
    """The script, at what it asks for first, and that."""
    script: Any = conversation(Session(Timing(open_timeout=7), Limits(), os.urandom), plan)
    assert next(script).event.name == "connecting"
    return script, script.send(Answer(100.0))


def goes_on(script: Any, request: Any, plan: Asks, value: object) -> None:
    """That value is used, and then the opening goes on."""
    assert type(request) is Ask
    request.act()
    assert plan.given == [("url", value)]
    asked = script.send(Answer(101.0))
    assert type(asked) is Ask
    assert type(script.send(Answer(101.0, value=asked.act()))) is Resolve


class Later:
    """What is to be awaited."""

    is_closed = False

    def __await__(self) -> Any:
        raise AssertionError

    def close(self) -> None:
        self.is_closed = True


@pytest.mark.parametrize("awaits", [False, True])
def test_a_plain_function_is_called(awaits: bool) -> None:
    plan = Asks(lambda: "here", awaits)
    script, request = begun(plan)
    assert request == Ask(plan.call, 107.0)
    goes_on(script, script.send(Answer(101.0, value="here")), plan, "here")


def test_a_coroutine_function_is_awaited() -> None:
    async def call() -> str:
        raise AssertionError

    plan = Asks(call, True)
    script, request = begun(plan)
    assert request == Await(call, 107.0)
    goes_on(script, script.send(Answer(101.0, value="here")), plan, "here")


def test_what_a_plain_function_gives_is_awaited_and_asked_for_anew_if_that_is_cancelled() -> None:
    first, second = Later(), Later()
    plan = Asks(lambda: second, True)
    script, _ = begun(plan)
    request = script.send(Answer(101.0, value=first))
    assert type(request) is Await
    assert request.deadline == 107.0
    assert request.act() is first
    assert request.act() is second
    goes_on(script, script.send(Answer(101.0, value="here")), plan, "here")
    assert not first.is_closed


def test_where_nobody_awaits_it_is_used_as_it_is() -> None:
    first = Later()
    plan = Asks(lambda: first, False)
    script, _ = begun(plan)
    goes_on(script, script.send(Answer(101.0, value=first)), plan, first)


@pytest.mark.parametrize("closes", [True, False])
def test_what_nobody_came_to_await_is_closed(closes: bool) -> None:
    class Plain:
        def __await__(self) -> Any:
            raise AssertionError

    first: Any = Later() if closes else Plain()
    plan = Asks(lambda: first, True)
    script, _ = begun(plan)
    script.send(Answer(101.0, value=first))
    script.throw(Interrupted(OSError("closed by the user"), 102.0))
    last = script.send(Answer(102.0))
    assert type(last) is Deliver
    assert last.event.reason == "the request can't be made; closed by the user"
    assert last.event.ending.kind == "left"
    if closes:
        assert first.is_closed


def test_a_failure_says_whose_it_is() -> None:
    plan = Asks(len, True)
    script, _ = begun(plan)
    script.throw(Failed(LookupError("no token"), 102.0))
    last = script.send(Answer(102.0))
    assert last.event.reason == "the request can't be made; url= raised LookupError: no token"
    assert (last.event.phase, last.event.ending.kind) == ("credentials", "credentials")
