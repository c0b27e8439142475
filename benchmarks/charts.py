"""Bar charts as SVG, readable on light and dark ground."""

from __future__ import annotations

from html import escape
from pathlib import Path

from results import FLOORS, OURS, Results, pairs
from scenarios import FIGURES, SCENARIOS, Figure

_ROW = 24
_LEFT = 190
_WIDTH = 720
_STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #24292f; }
  .title { font-weight: 600; font-size: 15px; }
  .bar { fill: #8c959f; } .ours { fill: #1f6feb; }
  .floor { fill: none; stroke: #8c959f; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; } .bar { fill: #6e7681; } .ours { fill: #58a6ff; }
    .floor { stroke: #6e7681; }
  }
"""


def draw(results: Results, directory: Path) -> None:
    """A chart for each figure that is compared, and those of the delays; no others stay there."""
    directory.mkdir(exist_ok=True)
    for path in directory.glob("*.svg"):
        path.unlink()
    for scenario in SCENARIOS:
        for figure in scenario.figures:
            if figure in ("wall", "messages") or scenario.name not in results:
                continue
            least = {name: p.least for name, p in pairs(results[scenario.name], figure).items()}
            if least:
                title = scenario.name if figure == scenario.figure else f"{scenario.name} {figure}"
                name = "".join(c if c.isalnum() else "-" for c in title.lower())
                drawn = chart(scenario.name, FIGURES[figure], least)
                (directory / f"{name}.svg").write_text(drawn, encoding="utf-8")


def chart(title: str, figure: Figure, values: dict[str, float]) -> str:
    """One chart; the shortest bar first."""
    ordered = sorted(values.items(), key=lambda item: item[1])
    longest = max(values.values()) or 1.0
    height = 44 + _ROW * len(ordered)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" '
        f'viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{escape(title)}">',
        f"<style>{_STYLE}</style>",
        f'<text class="title" x="8" y="22">{escape(title)}: {figure.words}, less is better</text>',
    ]
    for i, (name, value) in enumerate(ordered):
        y = 40 + i * _ROW
        shown = f"{value * figure.scale:.{figure.digits}f}"
        width = max(1.0, value / longest * (_WIDTH - _LEFT - 80))
        kind = "ours" if name in OURS else "floor" if name in FLOORS else "bar"
        parts += [
            f'<text x="{_LEFT - 8}" y="{y + 13}" text-anchor="end">{escape(name)}</text>',
            f'<rect class="{kind}" x="{_LEFT}" y="{y}" width="{width:.1f}" height="{_ROW - 6}" '
            'rx="2"/>',
            f'<text x="{_LEFT + width + 6:.1f}" y="{y + 13}">{shown}</text>',
        ]
    return "\n".join([*parts, "</svg>", ""])
