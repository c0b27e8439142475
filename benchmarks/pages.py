"""The parts of the pages that say what was measured: written from results.json, and nothing else.

They stand between `<!-- measured: NAME -->` and `<!-- end of what was measured -->`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import judging
import tables
import waiting
from environments import ROOT
from floors import NEAR
from results import Results
from scenarios import PACED

PAGES = (
    "README.md",
    "docs/understand/how-fast.md",
    "docs/tasks/processes.md",
    "benchmarks/README.md",
    "benchmarks/RESULTS.md",
)
BLOCK = re.compile(
    r"(<!-- measured: ([\w ]+) -->\n).*?(<!-- end of what was measured -->)", re.DOTALL
)
#: A time, a share, a ratio: what a page must not say of itself.
FIGURE = re.compile(r"\d[\d.,]*\s*(?:µs|us|ns|ms|%)(?!\w)|\d+\.\d+\s*(?:x|times)(?!\w)")


#: What looks like one and was not measured, but asked for.
ASKED = [f"{NEAR} times", *(scenario.name.rpartition("every ")[2] for scenario in PACED)]


def machine(stored: dict[str, Any]) -> str:
    """On what it was measured, and how."""
    on, run = stored["machine"], stored["run"]
    rounds = f"{run['rounds']} rounds"
    rounds += ", a tenth of the messages" * run["quick"] + ", targets only" * run["targets"]
    return (
        f"Measured on {run['date']}, {rounds}: {on['processor']}, {on['processors']} processors, "
        f"{on['system']}, Python {on['python']}; {load(on)}. A system call takes "
        f"{on['system call ns']} ns there, to ask one socket without waiting "
        f"{on['zero poll ns']} ns from Python."
    )


def load(on: dict[str, Any]) -> str:
    """How much else was done there when the run began."""
    busy = on.get("load")
    return "its load is not known" if busy is None else f"load {busy} when it began"


def missing(stored: dict[str, Any]) -> str:
    """Which of our clients and peers could not be measured at all."""
    gone = stored["run"]["missing"]
    return "\n".join(f"- {name}: {reason}" for name, reason in gone.items()) or "None."


BLOCKS: dict[str, Callable[[dict[str, Any]], str]] = {
    "machine": machine,
    "missing": missing,
    "in short": lambda stored: tables.in_short(rows(stored)),
    "one process": lambda stored: tables.one_process(rows(stored)),
    "others ahead": lambda stored: tables.ahead(rows(stored)),
    "targets": lambda stored: judging.table(rows(stored)),
    "rows": lambda stored: tables.all_rows(rows(stored)),
    "waiting": lambda stored: waiting.table(stored["waiting"]),
}


def rows(stored: dict[str, Any]) -> Results:
    """The rows of a run."""
    found: Results = stored["rows"]
    return found


def written(text: str, stored: dict[str, Any]) -> str:
    """The page with its blocks as these results have them."""

    def block(match: re.Match[str]) -> str:
        return f"{match[1]}\n{BLOCKS[match[2]](stored)}\n\n{match[3]}"

    return BLOCK.sub(block, text)


def about_speed(name: str, text: str) -> str:
    """All of a page beside the benchmarks; of another one, the sections that have blocks."""
    if name.startswith("benchmarks/"):
        return text
    sections = re.split(r"^(?=## )", text, flags=re.MULTILINE)
    return "".join(section for section in sections if BLOCK.search(section))


def figures_outside(text: str) -> list[str]:
    """Lines that tell a figure of their own beside the blocks."""
    outside = BLOCK.sub("", text)
    for words in ASKED:
        outside = re.sub(rf"(?<![\d.]){re.escape(words)}", "", outside)
    return [line for line in outside.splitlines() if FIGURE.search(line)]


def write(stored: dict[str, Any]) -> None:
    """Bring all pages up to these results."""
    for name in PAGES:
        page = ROOT / name
        text = page.read_text(encoding="utf-8")
        page.write_text(written(text, stored), encoding="utf-8")
