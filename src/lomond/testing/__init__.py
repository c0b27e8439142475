"""Help for tests of programs that use lomond: a pretend world, and servers that are scripted.

`pretend` is a world without a network and without waiting. `Server` is a chain of what a server
does there; `serve` has it, or a generator, on a socket of this machine; `replay` makes servers of a
record. `lomond.testing.peer` is what all of them stand on: bytes, in the words of a script.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .chain import Server
    from .conversation import Conversation
    from .heard import Heard
    from .replaying import replay
    from .serving import Serving, serve
    from .steps import Step, Turns
    from .world import RealUse, Scripted, World, pretend

__all__ = [
    "Conversation",
    "Heard",
    "RealUse",
    "Scripted",
    "Server",
    "Serving",
    "Step",
    "Turns",
    "World",
    "pretend",
    "replay",
    "serve",
]

#: Name -> the module that has it: imported when somebody asks.
_HOMES = {
    "Conversation": "conversation",
    "Heard": "heard",
    "RealUse": "world",
    "Scripted": "world",
    "Server": "chain",
    "Serving": "serving",
    "Step": "steps",
    "Turns": "steps",
    "World": "world",
    "pretend": "world",
    "replay": "replaying",
    "serve": "serving",
}


if not TYPE_CHECKING:  # which would take any name for one of this package's

    def __getattr__(name: str) -> Any:
        """What is imported when it is first asked for."""
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        found: Any = getattr(import_module(f".{_HOMES[name]}", __name__), name)
        globals()[name] = found
        return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
