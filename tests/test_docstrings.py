"""What the docstring of each public name tells: arguments, results, what is raised, examples."""

from __future__ import annotations

import asyncio
import doctest
import re
import threading
from collections.abc import Callable
from contextlib import chdir, nullcontext
from importlib import import_module
from pathlib import Path

import pytest

from lomond import AsyncWebSocket, WebSocket, testing
from lomond.settable import ROWS
from lomond.testing import Server, pretend, serve
from public_names import Public, is_exception, ours, public, raised_by
from sources import NAME

ALL = list(public())
_NO_ARGUMENTS = ("Returns", "Yields", "Raises", "Example")
#: How a first line begins that says what is given; else it has "give", or there is "Returns:".
_NOUN = re.compile(r"(The|A|An|What|Whether|How|Which|Who|Each|All|Every|Seconds|Something|In)\b")
#: What nobody uses: nothing, the promise of nothing, a generator for `yield from`, the same object,
#: and a step that gives nothing, of which their classes tell.
_NOTHING = re.compile(r"None|Sent|Self|Talk|Never|NoReturn|Step\[None\]")
_PAGES = Path(__file__).parents[1] / "docs" / "reference"
_RAISED = re.compile(r"    (\S[^:]*): ")
#: What has an example: what `lomond` itself has, the functions beside that, what a WebSocket or
#: a group has but its options, and the classes and functions of what a program is given.
_TOP = {
    "websocket.WebSocket", "aio.AsyncWebSocket", "trio.TrioWebSocket", "group.WebSocketGroup",
    "options.Deflate", "ending.Ending", "response.Response", "testing.Server",
}  # fmt: skip
_SHOWN = ("persist.", "records.read", "records.replay", "testing.pretend", "testing.serve")
_KINDS = (
    "websocket.WebSocket.", "aio.AsyncWebSocket.", "trio.TrioWebSocket.", "group.WebSocketGroup.",
)  # fmt: skip
#: And of `lomond.testing`, what its `__all__` has, but for what the world is to its own parts.
_INNER = {"is_here", "next_server", "connect", "has_made", "wait", "end", "monotonic", "time"}
_WHOLE = {"events", "errors", "ending", "stats", "timings", "response", "status", "records"}
#: What examples need not import, beside what their own module has.
_AT_HAND = {
    "asyncio": asyncio,
    "threading": threading,
    "AsyncWebSocket": AsyncWebSocket,
    "Server": Server,
    "WebSocket": WebSocket,
    "pretend": pretend,
    "serve": serve,
}


def complaints(rule: Callable[[Public], str]) -> list[str]:
    return [f"{one.name}: {said}" for one in ALL if (said := rule(one))]


def test_each_has_one() -> None:
    assert complaints(lambda one: "" if one.doc else "nothing") == []


def told(one: Public, *but: str) -> dict[str, str]:
    """What is said of each argument; of a class, by its bases too."""
    kinds = [kind for kind in one.found.__mro__ if ours(kind)] if one.is_class else [one.found]
    found: dict[str, str] = {}
    for kind in reversed(kinds):
        found |= one._replace(found=kind).entries(*_NO_ARGUMENTS, *but)
    return found


def untold(one: Public) -> str:
    """The arguments of which nothing is said."""
    found = told(one)
    return ", ".join(name for name in one.parameters() if name not in found)


def test_arguments_are_told_of() -> None:
    assert complaints(untold) == []


def without_default(one: Public) -> str:
    """The arguments of which nobody is told which number or truth they are if they are not given.

    Attributes, as events have them, are made by lomond.
    """
    found = told(one, "Attributes")
    return ", ".join(
        f"{name}={default}"
        for name, default in one.parameters().items()
        if isinstance(default, int | float) and (default or default is False) and name in found
        if not any(said in found[name] for said in numbers(default))
    )


def numbers(number: float) -> list[str]:
    """The number as options write it."""
    sizes = [f"{number / size:g} {unit}" for size, unit in ((1 << 10, "KiB"), (1 << 20, "MiB"))]
    return [f"{number:g}", str(number), *sizes]


def test_defaults_are_told_of() -> None:
    assert complaints(without_default) == []


def no_result(one: Public) -> str:
    """The first line of a function that gives something, and does not say what."""
    given = str(getattr(one.found, "__annotations__", {}).get("return", "None"))
    first = one.doc.partition("\n")[0]
    if one.is_class or _NOTHING.fullmatch(given) or _NOUN.match(first):
        return ""
    says = {"Returns", "Yields"} & one.sections().keys() or re.search(r"\bgives?\b", first)
    return "" if says else f"{given}, {first}"


def test_results_are_told_of() -> None:
    assert complaints(no_result) == []


def unraised(one: Public) -> str:
    """What its code raises and nobody is told of; and what is told of, and is no exception."""
    lines = one.sections().get("Raises", [])
    names = [n for line in lines if (m := _RAISED.match(line)) for n in m[1].split(", ")]
    wrong = [name for name in names if not is_exception(name, one.module)]
    wrong += [name for name in one.raised() if not re.search(rf"\b{name}\b", one.doc)]
    return ", ".join(wrong)


def test_what_is_raised_is_told_of() -> None:
    assert complaints(unraised) == []


def test_what_is_seen_of_a_function() -> None:
    source = (
        "def f(self):\n"
        "    if self:\n        raise errors.A('a')\n"
        "    raise B from None\n"
        "    raise NotImplementedError\n"
        "    raise error\n"
        "    def g():\n        raise C\n"
    )
    assert sorted(raised_by(source)) == ["A", "B"]


def test_all_of_it_is_on_a_page() -> None:
    """In docs/reference/: a class by its name there, what it has by hand or with the class."""
    pages = "\n".join(path.read_text("utf-8") for path in sorted(_PAGES.glob("*.md")))
    names = set(re.findall(r"^ *\.\. auto\w+:: (?:[\w.]+\.)?(\w+)$", pages, re.MULTILINE))
    names |= set(re.findall(r"^- `(\w+)`", pages, re.MULTILINE))  # options
    for listed in re.findall(r"^ +:members: (.+)$", pages, re.MULTILINE):
        names |= set(listed.split(", "))
    assert [one.name for one in ALL if one.name.rpartition(".")[2] not in names] == []


def last(one: Public) -> str:
    return one.name.rpartition(".")[2]


def is_of_testing(name: str) -> bool:
    """Whether that is of the `__all__` of `lomond.testing`, and for tests of programs."""
    package, _, rest = name.partition(".")
    kind, _, method = rest.partition(".")
    is_inner = kind == "World" and method in _INNER
    return package == "testing" and kind in testing.__all__ and not is_inner


def test_where_examples_are() -> None:
    wanted = [one for one in ALL if one.name in _TOP or one.name.startswith(_SHOWN)]
    members = [one for one in ALL if one.name.startswith(_KINDS) and last(one) not in ROWS]
    wanted += members
    wanted += [one for one in ALL if one.name.rpartition(".")[0] in _WHOLE]
    wanted += [one for one in ALL if is_of_testing(one.name)]
    assert len(members) > len(_KINDS)
    assert len(wanted) > len(members) + len(_TOP) + len(_WHOLE)
    assert [one.name for one in wanted if "Example" not in one.sections()] == []


@pytest.mark.parametrize("one", [one for one in ALL if ">>>" in one.doc], ids=lambda one: one.name)
def test_examples(one: Public, tmp_path: Path) -> None:
    """In a pretend world, in which whoever is connected to says hello and closes."""
    module = import_module(one.module.__name__.replace(NAME, "lomond", 1))
    example = doctest.DocTestParser().get_doctest(
        one.doc, _AT_HAND | vars(module), one.name, None, 0
    )
    words: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    server = Server().says("hello").closes()
    has_own = re.search(r"\bpretend\(|\bserve\(|PeerServer", one.doc)
    with chdir(tmp_path), nullcontext() if has_own else pretend(server, server, server):
        runner.run(example, out=words.append)
    assert not runner.failures, "".join(words)
    assert "+SKIP" not in one.doc
