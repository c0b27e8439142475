"""Every figure that the pages tell of a benchmark is one of results.json, which is of one run."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

import charts
import pages
import tables
from results import Results, load
from scenarios import SCENARIOS

BENCHMARKS = Path(pages.__file__).parent
STORED = load()


def page(name: str) -> str:
    return (BENCHMARKS.parent / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", pages.PAGES)
def test_a_page_says_what_was_measured(name: str) -> None:
    assert pages.written(page(name), STORED) == page(name)


@pytest.mark.parametrize("name", pages.PAGES)
def test_a_page_tells_no_figures_of_its_own(name: str) -> None:
    assert pages.figures_outside(pages.about_speed(name, page(name))) == []


def test_other_sections_of_other_pages_may_tell_what_they_want() -> None:
    block = "<!-- measured: rows -->\n\nx\n\n<!-- end of what was measured -->\n"
    text = f"a Poll is late by 10 ms\n## Fast\n{block}of 5 ms\n## More\n20 ms\n"
    assert pages.about_speed("README.md", text) == f"## Fast\n{block}of 5 ms\n"
    assert pages.about_speed("benchmarks/README.md", text) == text


def test_all_that_can_be_told_is_told_somewhere() -> None:
    told = {match[2] for name in pages.PAGES for match in pages.BLOCK.finditer(page(name))}
    assert told == set(pages.BLOCKS)


def test_the_charts_are_of_the_same_results(tmp_path: Path) -> None:
    charts.draw(STORED["rows"], tmp_path)
    kept = {path.name: path.read_text() for path in (BENCHMARKS / "charts").iterdir()}
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == kept


@pytest.mark.parametrize(
    ("line", "is_one"),
    [
        ("takes 0.11 µs of it", True),
        ("late by 20 ms at most", True),
        ("of which 85 % are the kernel's", True),
        ("1.25 times as much", True),
        ("takes 11 ms", True),
        ("A text every 50 µs, 200 µs, or 1 ms on average", False),
        ("within 1.15 times of its floor", False),
        ("texts of 100 bytes", False),
        ("a message of 16 KiB, three copies", False),
    ],
)
def test_what_a_figure_is(line: str, is_one: bool) -> None:
    assert bool(pages.figures_outside(line)) is is_one


def test_a_block_is_written_anew() -> None:
    text = "a\n<!-- measured: missing -->\nold\n<!-- end of what was measured -->\nb\n"
    stored = {"run": {"missing": {"import: x": "gone"}}}
    written = pages.written(text, stored)
    assert written == text.replace("old\n", "\n- import: x: gone\n\n")
    assert pages.written(written, stored) == written


def row(**cpu: float) -> dict[str, list[dict[str, float]]]:
    names = {"compiled": "lomond compiled", "uvloop": "lomond aio/uvloop", "bare": "bare socket"}
    return {names.get(n, f"{n}/asyncio"): [{"cpu": value * 1e-6}] for n, value in cpu.items()}


def test_all_rows_are_told_in_which_others_are_ahead() -> None:
    results: Results = {
        "receive text 20 B": row(compiled=1.0, picows=2.0, bare=0.1),  # not there
        "receive text 1 KiB": row(compiled=3.0, picows=2.0, aiohttp=2.5),
        "receive text 16 KiB": row(uvloop=3.0, picows=2.0),  # which is on another loop
    }
    told = tables.ahead(results).splitlines()[2:]
    assert told == ["| receive text 1 KiB | lomond compiled 1.50 x picows/asyncio |"]


def test_a_short_text_is_told_in_a_sentence() -> None:
    found = row(compiled=0.1)
    assert tables.in_short({"receive text 100 B": found}) == ""
    found["lomond pure"] = [{"cpu": 4e-7}]
    said = tables.in_short({"receive text 100 B": found})
    assert (
        said == "A received text of 100 bytes takes 0.10 µs of processor time compiled, 0.40 pure."
    )
    found |= {"aiohttp/uvloop": [{"cpu": 5e-7}], "lomond 0.3.4": [{"cpu": 1e-5}]}
    said = tables.in_short({"receive text 100 B": found})
    assert said.endswith("0.40 pure (aiohttp 0.50, lomond 0.3.4 10.00).")


def test_who_is_ahead_by_the_median_alone_is_told_too() -> None:
    results: Results = {"receive text 20 B": row(compiled=1.0, picows=1.0)}
    results["receive text 20 B"]["lomond compiled"] += [{"cpu": 2e-6}]
    assert "lomond compiled 1.50 x picows/asyncio" in tables.ahead(results)


def test_a_row_shows_minimum_and_median_with_the_floor() -> None:
    found = row(compiled=3.0, picows=2.0, bare=1.5)
    found["lomond compiled"] += [{"cpu": 5e-6}]
    scenario = next(s for s in SCENARIOS if s.name == "receive text 1 KiB")
    said = tables.of_row(scenario, found)
    assert "| lomond compiled | 3.00 | 4.00 | 1.50 | 2.00 |" in said
    assert "| *bare socket* | 1.50 | 1.50 | 0.75 |  |" in said
