"""Ctrl-C comes where the page has it: behind a whole line."""

from __future__ import annotations

import pytest

from docs.screen import Screen


def test_ctrl_c_comes_behind_the_end_of_the_line() -> None:
    screen = Screen("one\n^C\ntwo\n", 1, "8765")
    screen.write("one")
    with pytest.raises(KeyboardInterrupt):
        screen.write("\n")
    screen.write("two")
    assert screen.seen() == "one\ntwo"
