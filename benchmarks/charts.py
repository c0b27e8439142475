"""Bar charts as SVG, readable on light and dark ground."""

from __future__ import annotations

from html import escape
from pathlib import Path

Results = dict[str, dict[str, list[dict[str, float]]]]

_ROW = 24
_LEFT = 190
_WIDTH = 720
_STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #24292f; }
  .title { font-weight: 600; font-size: 15px; }
  .bar { fill: #8c959f; } .ours { fill: #1f6feb; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; } .bar { fill: #6e7681; } .ours { fill: #58a6ff; }
  }
"""


def draw(results: Results, directory: Path) -> None:
    """A chart for each scenario that has figures."""
    directory.mkdir(exist_ok=True)
    for scenario, found in results.items():
        figure = "memory" if scenario.endswith("memory") else "cpu"
        values = {name: min(run[figure] for run in runs) for name, runs in found.items() if runs}
        if values:
            name = "".join(c if c.isalnum() else "-" for c in scenario.lower())
            (directory / f"{name}.svg").write_text(chart(scenario, values, figure == "memory"))


def chart(title: str, values: dict[str, float], is_memory: bool = False) -> str:
    """One chart; the shortest bar first."""
    scale, unit = (1 / 1024, "KiB") if is_memory else (1e6, "µs")
    ordered = sorted(values.items(), key=lambda item: item[1])
    longest = max(values.values()) or 1.0
    height = 44 + _ROW * len(ordered)
    what = "memory" if is_memory else "processor time of the client"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" '
        f'viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{escape(title)}">',
        f"<style>{_STYLE}</style>",
        f'<text class="title" x="8" y="22">{escape(title)}: {what}, {unit}, less is better</text>',
    ]
    for i, (name, value) in enumerate(ordered):
        y = 40 + i * _ROW
        width = max(1.0, value / longest * (_WIDTH - _LEFT - 80))
        kind = "ours" if name.startswith(("lomond compiled", "lomond pure")) else "bar"
        parts += [
            f'<text x="{_LEFT - 8}" y="{y + 13}" text-anchor="end">{escape(name)}</text>',
            f'<rect class="{kind}" x="{_LEFT}" y="{y}" width="{width:.1f}" height="{_ROW - 6}" '
            'rx="2"/>',
            f'<text x="{_LEFT + width + 6:.1f}" y="{y + 13}">{value * scale:.2f}</text>',
        ]
    return "\n".join([*parts, "</svg>", ""])
