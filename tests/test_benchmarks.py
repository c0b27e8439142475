"""The judging of the benchmarks: ratios, targets, floors and charts, without running any."""

from __future__ import annotations

import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

import before
import charts
import choosing
import environments
import floors
import judging
import large
import machine
import peers
import processes
import scenarios
import sending
import targets
from results import Results

MICRO = 1e-6
LOOPS = ("uvloop", "asyncio")


def runs(*cpu: float) -> list[dict[str, float]]:
    """One client's, of so many microseconds."""
    return [{"cpu": value * MICRO, "wall": 2 * value * MICRO} for value in cpu]


RUNS: Results = {
    "receive text 100 B": {
        "lomond compiled": runs(0.3, 0.2, 0.25),
        "picows/uvloop": runs(0.4, 0.5, 0.6),
    },
    "receive text 100 B, timers off": {"lomond compiled": runs(0.2, 0.2, 0.25)},
    "send text 100 B": {
        "lomond compiled": runs(0.9),
        "lomond pure": runs(0.1),
        "bare socket": runs(0.01),
        "aiohttp/uvloop": runs(1.0),
        "picows/asyncio": runs(0.8),
        "websocket-client": runs(3.0),
    },
}
RECEIVE = targets.Target("receive text 100 B", "lomond compiled", 0.5, "picows/uvloop")


def found(target: targets.Target, results: Results = RUNS) -> judging.Verdict:
    return judging.verdict(target, results)


def with_floor(*cpu: float) -> Results:
    row = {**RUNS["receive text 100 B"], "bare socket": runs(*cpu)}
    return {"receive text 100 B": row}


def test_ratios_are_of_the_minima_and_of_the_medians() -> None:
    assert found(RECEIVE).ratio == pytest.approx((0.5, 0.5))


@pytest.mark.parametrize(
    ("cpu", "words"),
    [
        ((0.2, 0.25, 0.25), "kept"),
        ((0.2, 0.26, 0.26), "MISSED"),  # by the medians
        ((0.21, 0.21, 0.21), "MISSED"),  # by the minima
    ],
)
def test_a_promise_is_kept_by_both(cpu: tuple[float, ...], words: str) -> None:
    row = {"lomond compiled": runs(*cpu), "picows/uvloop": runs(0.4, 0.5, 0.6)}
    verdict = found(RECEIVE, {"receive text 100 B": row})
    assert (verdict.words, verdict.is_kept) == (words, words == "kept")


@pytest.mark.parametrize(
    ("floor", "words"),
    [
        ((0.18, 0.22, 0.22), "kept: at its floor"),
        ((0.18, 0.21, 0.21), "MISSED"),  # by the medians
        ((0.17, 0.22, 0.22), "MISSED"),  # by the minima
        ((0.45, 0.45, 0.45), "kept: at its floor, which the peer is below"),
    ],
)
def test_nobody_is_asked_for_less_than_the_floor(floor: tuple[float, ...], words: str) -> None:
    tight = targets.Target("receive text 100 B", "lomond compiled", 0.4, "picows/uvloop")
    verdict = found(tight, with_floor(*floor))
    assert (verdict.words, verdict.is_kept) == (words, words != "MISSED")


def test_the_lowest_floor_counts() -> None:
    row = {"bare protocol/uvloop": runs(3.0), "bare reader/uvloop": runs(2.0)}
    assert floors.floor("lomond aio/uvloop", row, "cpu") == pytest.approx((2e-6, 2e-6))
    assert floors.floor("lomond aio/asyncio", row, "cpu") is None
    assert floors.floor("lomond trio", row, "cpu") is None


@pytest.mark.parametrize(
    ("pattern", "ratio"), [("*", 0.9 / 0.8), ("*/uvloop", 0.9), ("aiohttp/*", 0.9)]
)
def test_the_best_peer_is_none_of_ours_and_no_floor(pattern: str, ratio: float) -> None:
    target = targets.Target("send text 100 B", "lomond compiled", 0.8, pattern)
    assert found(target).ratio == pytest.approx((ratio, ratio))


def test_a_row_is_compared_with_another_one_of_the_same_client() -> None:
    target = targets.Target(
        "receive text 100 B",
        "lomond compiled",
        1.1,
        "lomond compiled",
        other="receive text 100 B, timers off",
    )
    assert found(target).ratio == pytest.approx((1.0, 1.25))
    assert found(target).words == "MISSED"


def test_what_was_not_measured_is_not_kept() -> None:
    target = targets.Target("receive text 100 B", "lomond compiled", 0.6, "websocket-rs")
    assert found(target).ratio is None
    assert judging.missed(RUNS, [target, RECEIVE]) == [target]


def test_the_table_says_what_became_of_each() -> None:
    said = judging.table(RUNS)
    kept = "| receive text 100 B | lomond compiled | 0.6 | picows/uvloop | 0.50 | 0.50 |  | kept |"
    assert kept in said
    assert "| send text 100 B | lomond compiled | 0.8 | the best peer | 1.12 | 1.12 | 90.00" in said


def test_every_target_names_what_there_is() -> None:
    rows = {scenario.name: scenario for scenario in scenarios.SCENARIOS}
    names = {peer.name for peer in peers.PEERS}
    for target in targets.TARGETS:
        assert target.client in names
        assert target.figure in rows[target.scenario].figures
        assert target.row in rows
        assert target.peer in names or "*" in target.peer
        assert set(floors.floors_of(target.client)) <= names
    assert set(targets.WORDS) == {t.peer for t in targets.TARGETS if "*" in t.peer}


def test_only_what_the_targets_name_is_asked() -> None:
    asked = {
        scenario.name: {peer.name for peer in clients}
        for scenario, clients in judging.asked([RECEIVE])
    }
    assert asked == {"receive text 100 B": {"lomond compiled", "picows/uvloop", "bare socket"}}
    of_all = dict(judging.asked())
    assert {scenario.name for scenario in of_all} == {
        row for target in targets.TARGETS for row in (target.scenario, target.row)
    }


def test_who_was_far_from_the_best_is_not_asked_again() -> None:
    target = targets.Target("send text 100 B", "lomond compiled", 0.8, "*")
    [(_, clients)] = judging.asked([target], RUNS)
    assert "websocket-client" not in {peer.name for peer in clients}
    assert {"aiohttp/uvloop", "picows/asyncio", "curl_cffi"} <= {peer.name for peer in clients}


def test_the_lowest_floor_is_asked_again() -> None:
    target = targets.Target("round trip 8 KiB", "lomond aio/uvloop", 1.1, "picows/uvloop")
    kept: Results = {
        "round trip 8 KiB": {"bare protocol/uvloop": runs(4.0), "bare reader/uvloop": runs(2.0)}
    }
    [(_, clients)] = judging.asked([target], kept)
    names = {peer.name for peer in clients}
    assert names == {"lomond aio/uvloop", "picows/uvloop", "bare reader/uvloop"}


def test_what_the_targets_name_is_enough_to_judge_them() -> None:
    row = {
        scenario.name: {peer.name: [dict.fromkeys(scenario.figures, 1.0)] for peer in clients}
        for scenario, clients in judging.asked()
    }
    assert {judging.verdict(target, row).ratio for target in targets.TARGETS} == {(1.0, 1.0)}


def test_an_environment_is_made_anew_where_sources_changed(tmp_path: Path) -> None:
    prints = []
    for number, content in enumerate(["a", "a", "b"]):
        checkout = tmp_path / str(number)
        (checkout / "src").mkdir(parents=True)
        for name in ("setup.py", "pyproject.toml", "src/other.txt"):
            (checkout / name).write_text(str(number) if name.endswith("txt") else "")
        (checkout / "src" / "module.pyx").write_text(content)
        prints.append(environments.fingerprint(checkout))
    assert prints[0] == prints[1] != prints[2]


def asked_for(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> list[tuple[str, list[str]]]:
    monkeypatch.setattr(sys, "argv", ["run.py", *arguments])
    rows = choosing.rows_of(choosing.parsed())
    return [(scenario.name, [peer.name for peer in clients]) for scenario, clients in rows]


def test_parts_of_names_choose_rows_and_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = asked_for(monkeypatch, "--scenarios", "256 B", "import", "--peers", "picows/")
    both = ["picows/uvloop", "picows/asyncio"]
    rows = ["round trip 256 B", "round trip 256 B TLS", "import", "import, make a WebSocket"]
    assert chosen == [(row, both) for row in rows]
    assert asked_for(monkeypatch, "--targets", "--scenarios", "256 B TLS", "--peers", "bare") == [
        (
            "round trip 256 B TLS",
            [
                "bare socket",
                *[f"bare {how}/{loop}" for how in ("protocol", "reader") for loop in LOOPS],
            ],
        )
    ]


def test_a_client_is_asked_only_for_what_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(peer: peers.Peer) -> Path:
        raise environments.UnavailableError(f"{peer.name} is made")

    monkeypatch.setattr(processes, "python_of", none)
    [packer] = [peer for peer in peers.PEERS if peer.name == "lomond compiled, zlib-ng"]
    for act in {scenario.act for scenario in scenarios.SCENARIOS}:
        why = "zlib-ng is made" if "compressed" in act else f"^no {act}"  # which no page tells
        with pytest.raises(environments.UnavailableError, match=why):
            processes.ask(packer, {"scenario": act})


def test_compressed_feeds_are_of_the_size_that_they_say() -> None:
    packed = {s.name: s for s in scenarios.SCENARIOS if "deflate" in s.name}
    for name, size in (("100 B", 100), ("500 B", 500), ("5 KiB", 5120)):
        came, went = packed[f"receive JSON {name}, deflate"], packed[f"send JSON {name}, deflate"]
        assert came.size == went.size == size
        assert came.path == f"compressed/{size}/{came.count}"
        assert went.path == f"frames/{went.count + 1}"
    assert len(packed) == 7


def test_nothing_quick_takes_half_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = {name for name, _ in asked_for(monkeypatch)}
    quick = {name for name, _ in asked_for(monkeypatch, "--quick")}
    assert rows - quick == {"10,000 idle, keepalive"}
    assert rows - {scenario.name for scenario in scenarios.SCENARIOS} == set()


@pytest.mark.parametrize("option", ["--peers", "--scenarios"])
def test_parts_of_a_run_are_not_kept(
    option: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        asked_for(monkeypatch, "--write", option, "x")
    assert "what is kept is of one run" in capsys.readouterr().err


def test_what_the_machine_is() -> None:
    said = machine.description()
    assert said["processor"]
    assert said["load"] >= 0
    assert 0 < said["system call ns"] < 1e6
    assert said["system call ns"] < said["zero poll ns"] + 1000


def test_charts_are_svg(tmp_path: Path) -> None:
    (tmp_path / "of-a-row-that-is-gone.svg").touch()
    charts.draw(RUNS, tmp_path)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [
        "receive-text-100-b--timers-off.svg",
        "receive-text-100-b.svg",
        "send-text-100-b.svg",
    ]
    root = ElementTree.fromstring((tmp_path / "send-text-100-b.svg").read_text())
    assert root.tag.endswith("svg")
    kinds = [e.get("class") for e in root.iter() if e.tag.endswith("rect")]
    assert kinds == ["floor", "ours", "bar", "ours", "bar", "bar"]


def test_a_delay_has_a_chart_of_its_own(tmp_path: Path) -> None:
    run = {"cpu": 1e-5, "p50": 2e-5, "p99": 3e-5, "wall": 1e-4}
    charts.draw({"paced feed, every 50 µs": {"picows/uvloop": [run]}}, tmp_path)
    assert len(list(tmp_path.iterdir())) == 3


def test_what_was_before_is_compared_row_by_row() -> None:
    ours = [peer for peer in peers.PEERS if peer.name == "lomond compiled"]
    [other] = peers.of_before(ours, "there")
    assert other.requirements == ("there", *peers.OURS[1:])
    row = {"lomond compiled": runs(3.0, 2.0), other.name: runs(4.0, 6.0)}
    memory = {"lomond compiled": [{"memory": 2048.0}], other.name: [{"memory": 1024.0}]}
    results = {"round trip 256 B": row, "idle connection, memory": memory}
    said = before.render(results, scenarios.SCENARIOS)
    assert "| round trip 256 B | lomond compiled | 4.00 | 2.00 | 0.500 | 0.500 |" in said
    assert "| idle connection, memory | lomond compiled | 1.00 | 2.00 | 2.000 | 2.000 |" in said
    alone = {"import": {"lomond compiled": row["lomond compiled"]}}
    assert "lomond compiled" not in before.render(alone, scenarios.SCENARIOS)


@pytest.mark.parametrize(
    ("twin", "cpu", "memory", "is_kept"),
    [
        ("compiled", 1.0, 16, True),
        ("compiled", 1.01, 2, False),
        ("pure", 1.2, 2, True),
        ("pure", 1.21, 2, False),
        ("pure", 0.5, 17, False),
    ],
)
def test_parts_are_held_to_whole_messages(
    twin: str, cpu: float, memory: int, is_kept: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    names = list(large.ways(large.TOTAL))
    whole = [{"cpu": 1e-9, "memory": 0.0}, {"cpu": 3e-9, "memory": 0.0}]
    parts = [{"cpu": 2e-9, "memory": 0.0}, {"cpu": cpu * 1e-9, "memory": memory * 2.0**20}]
    found = {names[0]: whole, names[1]: parts}
    assert names[0] == large.WHOLE
    assert large.row("sync", twin, False, found) is is_kept
    assert capsys.readouterr().out.count("kept" if is_kept else "MISSED") == 1


@pytest.mark.parametrize(("memory", "is_kept"), [((2, 8), True), ((9, 2), False)])
def test_a_pipe_is_sent_in_little_memory(
    memory: tuple[int, int], is_kept: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    found = [{"cpu": 1e-9, "memory": mib * 2.0**20} for mib in memory]
    assert sending.pipe_row("sync", "pure", True, found) is is_kept
    words = "kept" if is_kept else "MISSED"
    expected = f"| sync, pure, TLS | 1.000 | {max(memory):.1f} | {words} |\n"
    assert capsys.readouterr().out == expected


@pytest.mark.parametrize(("cpu", "is_kept"), [(0.25, True), (0.26, False)])
def test_many_texts_are_held_to_the_best_of_picows(
    cpu: float, is_kept: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    found = {
        ("picows/uvloop", ""): runs(1.0, 3.0),
        ("picows/asyncio", ""): runs(2.0, 2.0),
        ("group", "compiled"): runs(1.0, cpu),
        ("group", "pure"): runs(5.0),  # which has no bound
    }
    assert {peer.name for peer in sending.OTHERS} == {"picows/uvloop", "picows/asyncio"}
    assert sending.text_rows(False, found) is is_kept
    _, _, ours, pure = capsys.readouterr().out.splitlines()
    assert ours.endswith("| kept |" if is_kept else "| MISSED |")
    assert pure == "| group, pure | 5000 | 5.00 |  |"
