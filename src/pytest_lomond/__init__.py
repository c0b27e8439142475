"""What pytest has of lomond: the fixtures `lomond_world` and `lomond_server`, and no other name.

It imports nothing of lomond until a test uses one; `-p no:lomond` does without. What was not right
in a world or a server fails its test, as an assertion in the test would.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

import pytest

if TYPE_CHECKING:
    from lomond.testing import Serving, World
    from lomond.testing.conversation import Played

_BLOCKS = pytest.StashKey[ExitStack]()


class LomondWorld(Protocol):
    """The type of `lomond_world`."""

    def __call__(
        self,
        *servers: Played,
        names: Mapping[str, Sequence[str] | str | None] | None = None,
        limit: float = ...,
    ) -> World:
        """Have the rest of the test be in a pretend world."""
        ...


class LomondServer(Protocol):
    """The type of `lomond_server`."""

    def __call__(self, *servers: Played, tls: bool = False, patience: float = ...) -> Serving:
        """Have servers on a port of 127.0.0.1 for the rest of the test."""
        ...


@pytest.fixture
def lomond_world(request: pytest.FixtureRequest) -> Generator[LomondWorld, None, None]:
    """A function that has the rest of the test be in a pretend world: see lomond.testing.pretend.

    It takes servers, each a Server or a generator function, and what `pretend` takes; it gives the
    World.
    """
    with _blocks(request) as blocks:

        def enter(*servers: Played, **options: Any) -> World:
            from lomond.testing import pretend

            return blocks.enter_context(pretend(*servers, **options))

        yield enter


@pytest.fixture
def lomond_server(request: pytest.FixtureRequest) -> Generator[LomondServer, None, None]:
    """A function that serves on a port of 127.0.0.1 for the rest of the test: lomond.testing.serve.

    It takes servers, each a Server or a generator function, and what `serve` takes; it gives the
    Serving, which has the `url`.
    """
    with _blocks(request) as blocks:

        def enter(*servers: Played, **options: Any) -> Serving:
            from lomond.testing import serve

            return blocks.enter_context(serve(*servers, **options))

        yield enter


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Leave the blocks with the test, and not with its fixtures: so it is the test that fails."""
    blocks = item.stash.get(_BLOCKS, None)
    if blocks is None:
        return (yield)
    __tracebackhide__ = True
    try:
        with blocks:
            return (yield)
    except AssertionError as error:
        raise error.with_traceback(_without_ours(error.__traceback__))  # noqa: B904  # the same one


def _without_ours(trace: TracebackType | None) -> TracebackType | None:
    """What of a traceback is not how a block is left, which tells nothing of the test."""
    while trace is not None and trace.tb_frame.f_code.co_filename in (
        __file__,
        contextlib.__file__,
    ):
        trace = trace.tb_next
    return trace


@contextmanager
def _blocks(request: pytest.FixtureRequest) -> Generator[ExitStack, None, None]:
    """What the test has entered. If it was never called, that is left without a word."""
    blocks: ExitStack = request.node.stash.setdefault(_BLOCKS, ExitStack())
    yield blocks
    never_called = RuntimeError("the test was not called")
    blocks.__exit__(RuntimeError, never_called, None)
