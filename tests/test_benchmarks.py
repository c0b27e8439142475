"""The judging of the benchmarks: ratios, targets and charts, without running any."""

from __future__ import annotations

import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

import before
import charts
import peers
import targets

RUNS = {
    "receive text 100 B": {
        "lomond compiled": [{"cpu": 3e-7, "wall": 4e-7}, {"cpu": 2e-7, "wall": 4e-7}],
        "picows/uvloop": [{"cpu": 4e-7, "wall": 4e-7}],
    },
    "send text 100 B": {
        "lomond compiled": [{"cpu": 9e-7, "wall": 1e-6}],
        "lomond pure": [{"cpu": 1e-7, "wall": 1e-6}],
        "raw socket": [{"cpu": 1e-8, "wall": 1e-6}],
        "aiohttp/uvloop": [{"cpu": 1e-6, "wall": 1e-6}],
        "websocket-client": [{"cpu": 3e-6, "wall": 1e-6}],
    },
}


def test_a_ratio_is_that_of_the_minima() -> None:
    target = targets.Target("receive text 100 B", "lomond compiled", 0.6, "picows/uvloop")
    assert targets.ratio_of(target, RUNS) == pytest.approx(0.5)
    missing = targets.Target("receive text 100 B", "lomond compiled", 0.6, "websocket-rs")
    assert targets.ratio_of(missing, RUNS) is None


def test_the_best_peer_is_no_twin_and_no_raw_socket() -> None:
    target = targets.Target("send text 100 B", "lomond compiled", 0.8, targets.BEST)
    assert targets.ratio_of(target, RUNS) == pytest.approx(0.9)


def test_a_missed_target_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert targets.judge(RUNS) == 1
    said = capsys.readouterr().out
    assert "| receive text 100 B | lomond compiled | 0.6 | picows/uvloop | 0.50 | kept |" in said
    assert "| send text 100 B | lomond compiled | 0.8 | the best peer | 0.90 | MISSED |" in said


def test_charts_are_svg(tmp_path: Path) -> None:
    charts.draw(RUNS, tmp_path)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["receive-text-100-b.svg", "send-text-100-b.svg"]
    root = ElementTree.fromstring((tmp_path / names[0]).read_text())
    assert root.tag.endswith("svg")
    assert len([e for e in root.iter() if e.tag.endswith("rect")]) == 2


def test_what_was_before_is_compared_row_by_row() -> None:
    ours = [peer for peer in peers.PEERS if peer.name == "lomond compiled"]
    [other] = peers.of_before(ours, "there")
    assert other.requirements == ("there", peers.UVLOOP)
    row = {"lomond compiled": [{"cpu": 3.0}, {"cpu": 2.0}], other.name: [{"cpu": 4.0}]}
    memory = {"lomond compiled": [{"memory": 2048.0}], other.name: [{"memory": 1024.0}]}
    results = {"round trip 256 B": row, "idle connection, memory": memory}
    said = before.render(results, peers.SCENARIOS, 1.0)
    assert "| round trip 256 B | lomond compiled | 4.00 | 2.00 | 0.500 |" in said
    assert "| idle connection, memory | lomond compiled | 1.00 | 2.00 | 2.000 |" in said
    alone = {"import": {"lomond compiled": row["lomond compiled"]}}
    assert "lomond compiled" not in before.render(alone, peers.SCENARIOS, 1.0)
