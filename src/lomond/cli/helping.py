"""The help of a command, on one screen: its options stand in two columns."""

from __future__ import annotations

import argparse
from collections.abc import Iterable

WIDTH = 79
_HALF = 40
_NAMES = 19  # characters for an option's name and value


def page(usage: str, about: str, actions: Iterable[argparse.Action], end: str = "") -> str:
    """The help: how to call it, what it does, its options, and what else there is to know."""
    cells = [_cell(action) for action in actions if action.option_strings and action.help]
    rows = (len(cells) + 1) // 2
    right = [*cells[rows:], ""]
    lines = [
        f"{one:<{_HALF}}{other}".rstrip()
        for one, other in zip(cells[:rows], right[:rows], strict=True)
    ]
    parts = [f"usage: {usage}", about.strip(), *lines, end.strip()]
    return "\n".join(part for part in parts if part) + "\n"


def _cell(action: argparse.Action) -> str:
    """An option in a few words: its shortest name, its value, what it does."""
    names = action.option_strings
    shown = ", ".join(names) if not action.metavar and len(names) > 1 else names[0]
    return f"{shown} {action.metavar or ''}".ljust(_NAMES) + f" {action.help}"
