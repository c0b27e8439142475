"""The tables of the results: a row's clients, and where others are ahead of ours."""

from __future__ import annotations

from floors import floor
from results import FLOORS, Pair, Results, Runs, best, pair, pairs
from scenarios import CROWDS, FIGURES, SCENARIOS, Scenario

#: Which of the others a door is compared with.
DOORS = {
    "lomond compiled": "*",
    "lomond group": "*",
    "lomond aio/uvloop": "*/uvloop",
    "lomond aio/asyncio": "*/asyncio",
}


def of_row(scenario: Scenario, row: dict[str, Runs]) -> str:
    """One row's clients, the best first; the floors are said to be none."""
    compared = pairs(row, scenario.figure)
    if not compared:
        return f"\n### {scenario.name}\n\nno figures\n"
    figures = [name for name in scenario.figures if any(pairs(row, name))]
    heads = "".join(f" {FIGURES[name].words} | median |" for name in figures)
    lines = [
        f"\n### {scenario.name}\n",
        f"| client |{heads} to the best peer | to its floor |",
        "|---|" + "--:|" * (2 * len(figures) + 2),
    ]
    first = best(row, scenario.figure)
    for name, values in compared.items():
        cells = "".join(f" {cell} |" for figure in figures for cell in _cells(row[name], figure))
        ratio = _ratio(values, first and first[1])
        lowest = floor(name, row, scenario.figure)
        shown = f"*{name}*" if name in FLOORS else name
        lines.append(f"| {shown} |{cells} {ratio} | {_ratio(values, lowest)} |")
    return "\n".join(lines)


def _cells(runs: Runs, figure: str) -> tuple[str, str]:
    values, how = pair(runs, figure), FIGURES[figure]
    if values is None:
        return "", ""
    least, median = (f"{value * how.scale:.{how.digits}f}" for value in values)
    return least, median


def _ratio(values: Pair, other: Pair | None) -> str:
    return f"{values.least / other.least:.2f}" if other else ""


def all_rows(results: Results) -> str:
    """Every row that was measured."""
    known = [scenario for scenario in SCENARIOS if scenario.name in results]
    return "\n".join(of_row(scenario, results[scenario.name]) for scenario in known).strip()


def ahead(results: Results) -> str:
    """Where another client needs less than a door of ours, by the minimum or by the median.

    The blocking loop and the group are compared with all others, a door for asyncio with those on
    the same loop. The greater of both ratios is given.
    """
    lines = [
        "| where | who needs less than ours, and how many times as much ours needs |",
        "|---|---|",
    ]
    for scenario in SCENARIOS:
        for figure in scenario.figures:
            if figure in ("wall", "messages"):
                continue
            found = [
                text
                for client, pattern in DOORS.items()
                if (text := _behind(results.get(scenario.name, {}), figure, client, pattern))
            ]
            if found:
                what = "" if figure == "cpu" else f", {FIGURES[figure].words.rpartition(' ')[0]}"
                lines.append(f"| {scenario.name}{what} | {'; '.join(found)} |")
    return "\n".join(lines)


def _behind(row: dict[str, Runs], figure: str, client: str, pattern: str) -> str:
    ours, theirs = pair(row.get(client, []), figure), best(row, figure, pattern)
    if ours is None or theirs is None:
        return ""
    ratio = max(ours.over(theirs[1]))
    return f"{client} {ratio:.2f} x {theirs[0]}" if ratio >= 1.005 else ""


def one_process(results: Results) -> str:
    """What one process carries in one thread: medians of a group in the rows of many."""
    lines = ["| connections | figure | median |", "|---|---|--:|"]
    for scenario in CROWDS:
        runs = results.get(scenario.name, {}).get("lomond group", [])
        for name in scenario.figures:
            if pair(runs, name) is not None:
                figure = FIGURES[name].words
                lines.append(f"| {scenario.name} | {figure} | {_cells(runs, name)[1]} |")
    return "\n".join(lines)


def in_short(results: Results) -> str:
    """What a short text costs, for those who read no table; empty where it was not measured."""
    row = results.get("receive text 100 B", {})
    costs = {name: f"{values.least * 1e6:.2f}" for name, values in pairs(row, "cpu").items()}
    if "lomond compiled" not in costs or "lomond pure" not in costs:
        return ""
    others = {
        "aiohttp": "aiohttp/uvloop",
        "websockets": "websockets/uvloop",
        "websocket-client": "websocket-client",
        "lomond 0.3.4": "lomond 0.3.4",
    }
    known = [f"{words} {costs[name]}" for words, name in others.items() if name in costs]
    return (
        f"A received text of 100 bytes takes {costs['lomond compiled']} µs of processor time "
        f"compiled, {costs['lomond pure']} pure" + f" ({', '.join(known)})" * bool(known) + "."
    )
