"""The committed corpus of the fuzz targets, checked without a fuzzer."""

from __future__ import annotations

import random
from pathlib import Path

import fuzz_targets
import pytest

from traced import tracemalloc

FUZZ = Path(__file__).parents[2] / "fuzz"

FILES = [
    pytest.param(name, path, id=f"{name}-{path.name}")
    for name in fuzz_targets.NAMES
    for path in sorted((FUZZ / "corpus" / name).iterdir())
]


@pytest.mark.parametrize(("name", "path"), FILES)
def test_the_invariant_holds(name: str, path: Path) -> None:
    check = fuzz_targets.load(name)
    data = path.read_bytes()
    assert len(data) <= fuzz_targets.MAX_SIZE
    check(data)  # what is imported late is not the input's
    tracemalloc.start()
    try:
        check(data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak <= fuzz_targets.MAX_MEMORY


@pytest.mark.parametrize("name", fuzz_targets.NAMES)
def test_a_corpus_is_small_and_not_empty(name: str) -> None:
    sizes = [path.stat().st_size for path in (FUZZ / "corpus" / name).iterdir()]
    assert 20 <= len(sizes) <= 100
    assert sum(sizes) <= 32 * 1024


@pytest.mark.parametrize("name", fuzz_targets.NAMES)
def test_inputs_that_are_a_little_wrong(name: str) -> None:
    """A few mutations each time, the same ones: the targets bear anything."""
    check = fuzz_targets.load(name)
    chance = random.Random(name)
    for path in sorted((FUZZ / "corpus" / name).iterdir()):
        data = bytearray(path.read_bytes())
        for _ in range(3):
            data[chance.randrange(len(data))] = chance.randrange(256)
        check(bytes(data))
