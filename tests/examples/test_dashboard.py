"""The dashboard, in a pretend world: three feeds, of which one is refused and one comes again."""

from __future__ import annotations

import re

from examples.loaded import example
from lomond.testing import Server, pretend

URLS = [f"wss://{name}.example/" for name in ("fine", "shaky", "gone")]


def line_of(screen: list[str], name: str) -> str:
    (line,) = (line for line in screen if f"//{name}." in line)
    return line


def test_each_has_a_line_and_one_that_ends_is_told_of_and_comes_again() -> None:
    fine = Server("fine.example").says("1 \x1b[2J").after(30).says("2").after(60).cuts()
    shaky = Server("shaky.example").says("a").after(10).resets()
    again = Server("shaky.example").says("b").after(100).cuts()
    over = [Server(f"{name}.example").refuses(403) for name in ("fine", "shaky")]
    screens: list[list[str]] = []
    with pretend(fine, shaky, again, Server("gone.example").refuses(404), *over) as world:
        example("dashboard").watch(URLS, screens.append)
    assert all(len(screen) == 3 for screen in screens)
    assert len(screens) > world.seconds  # more than one a second
    assert "\x1b" not in "".join(map("".join, screens))
    middle = next(screen for screen in screens if "5 s ago" in line_of(screen, "fine"))
    assert re.search(r"live +1 +5 s ago  1 \\x1b\[2J$", line_of(middle, "fine"))
    assert re.search(r"live +1 +5 s ago  a$", line_of(middle, "shaky"))
    assert re.search("lost .* the server refused the upgrade with 404", line_of(middle, "gone"))
    assert any(
        "lost" in line_of(screen, "shaky") and "live" in line_of(screen, "fine")
        for screen in screens
    )
    assert any(re.search("live +2 ", line_of(screen, "shaky")) for screen in screens)
