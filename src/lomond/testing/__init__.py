"""Help for tests of programs that use lomond: a pretend world, scripted servers, pretend time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .world import RealUse, Scripted, World, pretend

__all__ = ["RealUse", "Scripted", "World", "pretend"]

#: Name -> the module that has it: imported when somebody asks.
_HOMES = dict.fromkeys(__all__, "world")


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
