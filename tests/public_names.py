"""What is public, as ARCHITECTURE.md says, and what its docstrings say.

It is looked at in the sources, whichever twin runs: there each function has its signature and code.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import re
import textwrap
from collections.abc import Iterator
from importlib.util import find_spec
from types import FunctionType, ModuleType
from typing import Any, NamedTuple

from sources import NAME, source

#: The public modules, and those that have what users are given.
MODULES = (
    "websocket", "aio", "trio", "group", "persist", "options", "ending", "stats", "timings",
    "secured", "compression", "events", "errors", "records", "response", "status", "constants",
    "testing", "testing.peer", "testing.server", "testing.alone",
)  # fmt: skip
#: Of modules that are only partly public: what users are given of them.
PARTLY = {
    "options": ("Deflate",),
    "ending": ("Ending", "Gap", "Pause"),
    "compression": ("Compression",),
}
#: What no program makes.
MADE_BY_US = ("aio.Events", "trio.Events", "stats.Stats")
_SECTION = re.compile(r"^(\w[\w ]*):$")
_ENTRY = re.compile(r"^    ([*\w]+(?:, [*\w]+)*): \S")
#: What a class does for whoever makes it, or enters it.
_OWN = ("__init__", "__new__", "__enter__", "__exit__", "__aenter__", "__aexit__")


class Public(NamedTuple):
    """A class, function, method or property that is public."""

    name: str  #: as users know it
    found: Any
    module: ModuleType  #: the one of its source

    @property
    def doc(self) -> str:
        """The docstring, without its margin."""
        return inspect.cleandoc(self.found.__doc__ or "")

    @property
    def is_class(self) -> bool:
        """Whether it is a class."""
        return isinstance(self.found, type)

    @property
    def functions(self) -> list[FunctionType]:
        """What of it is code: a class's own is what makes and enters it."""
        if self.is_class:
            return [one for name in _OWN if (one := _function(vars(self.found).get(name)))]
        if isinstance(self.found, property):
            return [one for one in map(_function, (self.found.fget, self.found.fset)) if one]
        one = _function(self.found)
        return [] if one is None else [one]

    def sections(self) -> dict[str, list[str]]:
        """The lines below each heading of the docstring; those before the first are below ""."""
        found: dict[str, list[str]] = {"": []}
        lines = found[""]
        for line in self.doc.splitlines():
            heading = _SECTION.match(line)
            if heading:
                lines = found.setdefault(heading[1], [])
            else:
                lines.append(line)
        return found

    def entries(self, *but: str) -> dict[str, str]:
        """Each name that is told of below a heading that is none of these, and what is said."""
        told: dict[str, str] = {}
        for heading, lines in self.sections().items():
            names: list[str] = []
            for line in lines if heading not in but else ():
                entry = _ENTRY.match(line)
                if entry:
                    names = entry[1].split(", ")
                for name in names:
                    told[name] = f"{told.get(name, '')} {line.strip()}"
        return told

    def parameters(self) -> dict[str, Any]:
        """What it takes, by name, each with its default."""
        if isinstance(self.found, property) or self.name in MADE_BY_US:
            return {}
        try:
            signature = inspect.signature(self.found)
        except ValueError:  # of a class that nobody makes
            return {}
        several = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
        return {
            name: one.default
            for name, one in signature.parameters.items()
            if one.kind not in several and name not in ("self", "cls")
        }

    def raised(self) -> set[str]:
        """The classes that its own code raises, where it names them."""
        written = [one for one in self.functions if one.__module__ == self.module.__name__]
        return {
            name
            for function in written  # not by namedtuple()
            for name in raised_by(textwrap.dedent(inspect.getsource(function)))
        }


def raised_by(function: str) -> Iterator[str]:
    """The names of the classes that a function raises, but for functions within it."""
    tree = ast.parse(function).body[0]
    waiting: list[ast.AST] = [*ast.iter_child_nodes(tree)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.Raise) and node.exc is not None:
            what = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
            name = what.attr if isinstance(what, ast.Attribute) else getattr(what, "id", "")
            if name[:1].isupper() and name != "NotImplementedError":
                yield name
        waiting += ast.iter_child_nodes(node)


def _function(value: Any) -> FunctionType | None:
    if isinstance(value, classmethod | staticmethod):
        value = value.__func__
    return value if isinstance(value, FunctionType) else None


def public() -> Iterator[Public]:
    """All that is."""
    seen: set[str] = set()
    for name in MODULES:
        if name == "trio" and find_spec("trio") is None:
            continue
        module = source(name)
        for own, value in _of_module(module, name):
            for one in _of(own, value):
                if one.name not in seen:
                    seen.add(one.name)
                    yield one


def _of_module(module: ModuleType, name: str) -> Iterator[tuple[str, Any]]:
    names = PARTLY.get(name) or getattr(module, "__all__", None)
    for own in names or [one for one in vars(module) if not one.startswith("_")]:
        value = getattr(module, own)
        is_its_own = names is not None or getattr(value, "__module__", "") == module.__name__
        if is_its_own and (isinstance(value, type) or _function(value)):
            yield f"{name}.{own}", value


def _of(name: str, value: Any) -> Iterator[Public]:
    yield Public(name, value, _module_of(value))
    if not isinstance(value, type):
        return
    for base in value.__mro__:
        if not ours(base):
            continue
        for own, member in vars(base).items():
            if own.startswith("_") or base.__module__ == f"{NAME}.fixed":
                continue
            if isinstance(member, property) or _function(member):
                what = member.__func__ if isinstance(member, classmethod) else member
                yield Public(f"{name}.{own}", what, _module_of(base))


def ours(kind: type) -> bool:
    """Whether it is a class of these sources."""
    return kind.__module__.startswith(f"{NAME}.")


def _module_of(value: Any) -> ModuleType:
    return source(value.__module__.removeprefix(f"{NAME}."))


def is_exception(name: str, module: ModuleType) -> bool:
    """Whether that is the name of an exception, in a module or for everybody."""
    for where in (module, source("errors"), builtins):
        found = getattr(where, name.rpartition(".")[2], None)
        if isinstance(found, type) and issubclass(found, BaseException):
            return True
    return name in ("json.JSONDecodeError",)
