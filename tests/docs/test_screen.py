"""A screen is as the page says on a slower machine too; Ctrl-C comes behind a whole line."""

from __future__ import annotations

import pytest

from docs.screen import Screen, is_as_said


def test_ctrl_c_comes_behind_the_end_of_the_line() -> None:
    screen = Screen("one\n^C\ntwo\n", 1, "8765")
    screen.write("one")
    with pytest.raises(KeyboardInterrupt):
        screen.write("\n")
    screen.write("two")
    assert screen.seen() == "one\ntwo"


@pytest.mark.parametrize(
    ("said", "seen", "is_so"),
    [
        ("took 1... s", "took 1.2 s", True),
        ("took 1... s", "took 0.997 s", True),
        ("took 1... s", "took 3.5 s", True),
        ("took 1... s", "took 0.1 s", False),
        ("took 0... s", "took 30 s", False),
        ("... lines, 0... s; ...", "24 lines, 1.2 s; the end", True),
        ("... lines, 0... s; ...", "24 lines, 31 s; the end", False),
        ("Pause(seconds=1..., events=...)", "Pause(seconds=1.1031, events=3)", True),
        ("Pause(seconds=1..., events=...)", "Pause(seconds=0.1, events=3)", False),
        ("2... MB", "2.7 MB", True),
        ("2... MB", "3.1 MB", False),
        ("lomond 1...", "lomond 1.0", True),
        ("took 1... s", "it took", False),
    ],
)
def test_seconds_are_about_as_many_as_the_page_says(said: str, seen: str, is_so: bool) -> None:
    assert is_as_said(said, seen) is is_so
