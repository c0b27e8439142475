"""Fixtures of all tests. First of all, the environment and the twin that they run on."""

import gc
import signal
import sys
from itertools import groupby, product
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

import built  # noqa: F401  it stops where other sources were compiled than those that are here
import proxies  # noqa: F401  it clears the variables
from doors.every_door import DOORS
from lomond import compression
from protocol.compressed import installed_backends

pytest_plugins = ["shared"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--door",
        action="append",
        choices=list(DOORS),
        default=[],
        help="what is one body for all doors, for that door alone (may be given again)",
    )
    parser.addoption("--anyio", action="store_true", help="trio's runs are anyio's")
    parser.addoption(
        "--long", action="store_true", help="also what takes long or needs much (.ci/long)"
    )


# What takes long is the machine's doing.
settings.register_profile("lomond", deadline=None, suppress_health_check=[HealthCheck.too_slow])


def pytest_configure(config: pytest.Config) -> None:
    settings.load_profile("lomond")
    config.option.door = config.option.door or list(DOORS)
    if config.option.anyio:
        from doors import below_anyio  # which needs what not every environment has

        below_anyio.begin()


if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Whoever started this in the background has Ctrl-C ignored, and all that tests start would too.
    signal.signal(signal.SIGINT, signal.default_int_handler)

TESTS = Path(__file__).parent
#: Where the rules are, and a taste of each door.
QUICK = [
    TESTS / "protocol",
    TESTS / "session",
    TESTS / "doors" / "test_golden_traces.py",
    TESTS / "doors" / "test_defects.py",
]

#: What no twin changes: tests/both.py tries it on one.
ONCE = [
    TESTS / "cli",
    TESTS / "conformance",
    TESTS / "docs",
    TESTS / "real",
    TESTS / "examples" / "test_examples.py",
    *(
        TESTS / f"test_{name}.py"
        for name in (
            "benchmarks", "compression_library", "cookie_limits", "cookies", "credentials", "edges",
            "guards", "house", "ignores", "jobs", "measured_pages", "measuring", "mutation",
            "names_of_certificates", "places", "private_names", "proxies", "records_page",
            "redaction", "rows", "shared", "soak", "twin", "typing", "values",
        )
    ),
]  # fmt: skip


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """`pytest -m quick` is a minute's work; what takes long is left out unless it is asked for."""
    if not config.getoption("long"):
        long = [item for item in items if item.get_closest_marker("long")]
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]
    for path, those in groupby(items, lambda item: item.path):
        marks = [
            mark
            for mark, places in ((pytest.mark.quick, QUICK), (pytest.mark.once, ONCE))
            if any(path.is_relative_to(place) for place in places)
        ]
        for item, mark in product(those, marks):
            item.add_marker(mark)


def pytest_collection_finish() -> None:
    """Twelve thousand tests are here to stay: who collects garbage need not look at them again."""
    # CPython's. On 3.14 Hypothesis would miss, among the frozen, who has its random numbers.
    if hasattr(gc, "freeze") and sys.version_info < (3, 14):
        gc.collect()
        gc.freeze()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One body for all doors: `pytestmark = pytest.mark.every_door`, and a fixture `door`.

    Those that look at what only some doors have say which: `@pytest.mark.doors("sync")`.
    """
    if metafunc.definition.get_closest_marker("every_door"):
        given = metafunc.definition.get_closest_marker("doors")
        asked = metafunc.config.getoption("door")
        doors = [door for door in asked if given is None or door in given.args]
        metafunc.parametrize("door", doors, indirect=True)


@pytest.fixture(params=installed_backends(), ids=lambda backend: backend.name)
def each_library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compress with each library that is installed, as if this process had chosen it."""
    monkeypatch.setattr(compression, "chosen", request.param)
