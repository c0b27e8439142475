"""What a build makes, and what the environment has to say about it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

ROOT = Path(__file__).parents[2]
NEEDED = ["setup.py", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE"]
NO_COMPILER = {"CC": "/bin/false"}


def build(folder: Path, **variables: str) -> tuple[int, str]:
    """Build a wheel in a copy of the checkout; the status, and what was said."""
    ignored = shutil.ignore_patterns("*.so", "*.pyd", "compiled.*.txt", "__pycache__", "*.egg-info")
    shutil.copytree(ROOT / "src", folder / "src", ignore=ignored)
    for name in NEEDED:
        shutil.copy(ROOT / name, folder)
    python = os.path.realpath(sys.executable)  # that of the tests' environment may have no pip
    done = subprocess.run(
        [python, "-m", "pip", "wheel", "-v", "--no-deps", "-w", "dist", "."],
        cwd=folder,
        env={**os.environ, "LOMOND_PURE": "", "LOMOND_COMPILED": "", **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def contents(folder: Path) -> dict[str, int]:
    """The files of the wheel, and their sizes."""
    (wheel,) = (folder / "dist").iterdir()
    with zipfile.ZipFile(wheel) as archive:
        return {info.filename: info.file_size for info in archive.infolist()}


def is_pure(folder: Path) -> bool:
    return not any(re.match(r"lomond/.*\.(so|pyd|txt)$", name) for name in contents(folder))


def test_the_compiled_modules_lie_beside_their_sources(tmp_path: Path) -> None:
    status, said = build(tmp_path, LOMOND_COMPILED="1")
    assert status == 0, said
    files = contents(tmp_path)
    (listing,) = (name for name in files if name.startswith("lomond/compiled."))
    suffix = listing.removeprefix("lomond/compiled").removesuffix(".txt")
    with zipfile.ZipFile(next((tmp_path / "dist").iterdir())) as archive:
        lines = archive.read(listing).decode().splitlines()[1:]
    for line in lines:
        name, size, source_size = line.split()
        path = "lomond/" + name.replace(".", "/")
        assert (files[path + suffix], files[path + ".py"]) == (int(size), int(source_size))
    assert len(lines) == sum(name.endswith(suffix) for name in files)
    assert not [name for name in files if name.endswith(".c")]
    assert {"lomond/io/wire.pyx", "lomond/io/wire.pxd", "lomond/freezing/hook-lomond.py"} < {*files}
    assert list((tmp_path / "src").rglob("*.c")) == []


def test_lomond_pure_builds_none(tmp_path: Path) -> None:
    status, said = build(tmp_path, LOMOND_PURE="1")
    assert status == 0, said
    assert is_pure(tmp_path)


def test_without_a_compiler_it_does_without(tmp_path: Path) -> None:
    status, said = build(tmp_path, **NO_COMPILER)
    assert status == 0, said
    assert "lomond: no compiled twin (" in said
    assert is_pure(tmp_path)


def test_lomond_compiled_fails_without_a_compiler(tmp_path: Path) -> None:
    status, said = build(tmp_path, LOMOND_COMPILED="1", **NO_COMPILER)
    assert status != 0
    assert "/bin/false" in said


def test_both_at_once_can_not_be(tmp_path: Path) -> None:
    status, said = build(tmp_path, LOMOND_PURE="1", LOMOND_COMPILED="1")
    assert status != 0
    assert "LOMOND_PURE and LOMOND_COMPILED are both set; unset one of them" in said
