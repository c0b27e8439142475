"""What a build makes, and what the environment has to say about it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

from lomond.twin import LIST

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

ROOT = Path(__file__).parents[2]
NEEDED = ["setup.py", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE"]
FOLDERS = ["src", "tools"]
MB = 1_000_000
PAGE = (ROOT / "docs" / "begin" / "install.md").read_text()
NO_COMPILER = {"CC": "/bin/false"}


def copy(folder: Path) -> None:
    """What a build needs of the checkout."""
    ignored = shutil.ignore_patterns("*.so", "*.pyd", "compiled.*.txt", "__pycache__", "*.egg-info")
    for name in FOLDERS:
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    for name in NEEDED:
        shutil.copy(ROOT / name, folder)


def run(folder: Path, *command: str | Path, **variables: str) -> tuple[int, str]:
    """Run it there; the status, and what was said."""
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "LOMOND_PURE": "", "LOMOND_COMPILED": "", **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


#: That of the tests' environment may have no pip.
PIP = [os.path.realpath(sys.executable), "-m", "pip"]


def build(folder: Path, *prefix: str, **variables: str) -> tuple[int, str]:
    """Build a wheel in a copy of the checkout; the status, and what was said."""
    copy(folder)
    command = [*prefix, *PIP, "wheel", "-v", "--no-deps", "-w", "dist", "."]
    return run(folder, *command, **variables)


def contents(folder: Path) -> dict[str, int]:
    """The files of the wheel, and their sizes."""
    (wheel,) = (folder / "dist").iterdir()
    with zipfile.ZipFile(wheel) as archive:
        return {info.filename: info.file_size for info in archive.infolist()}


def is_pure(folder: Path) -> bool:
    """Whether nothing in it is compiled, and its name says that it is for every Python 3."""
    (wheel,) = (folder / "dist").iterdir()
    has_none = not any(re.match(r"lomond/.*\.(so|pyd|txt)$", name) for name in contents(folder))
    assert has_none == wheel.name.endswith("-py3-none-any.whl"), wheel.name
    return has_none


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a build that has compiled."""
    folder = tmp_path_factory.mktemp("compiled")
    status, said = build(folder, LOMOND_COMPILED="1")
    assert status == 0, said
    return folder


def test_the_compiled_modules_lie_beside_their_sources(compiled: Path) -> None:
    assert not is_pure(compiled)
    files = contents(compiled)
    (listing,) = (name for name in files if name.startswith("lomond/compiled."))
    suffix = listing.removeprefix("lomond/compiled").removesuffix(".txt")
    with zipfile.ZipFile(next((compiled / "dist").iterdir())) as archive:
        lines = archive.read(listing).decode().splitlines()[1:]
    for line in lines:
        name, size, source_size = line.split()
        path = "lomond/" + name.replace(".", "/")
        assert (files[path + suffix], files[path + ".py"]) == (int(size), int(source_size))
    assert len(lines) == sum(name.endswith(suffix) for name in files)
    assert not [name for name in files if name.endswith(".c")]
    assert {
        "lomond/system/wire.pyx",
        "lomond/system/wire.pxd",
        "lomond/freezing/hook-lomond.py",
    } < {*files}
    assert list((compiled / "src").rglob("*.c")) == []


def test_lomond_pure_builds_none(tmp_path: Path) -> None:
    status, said = build(tmp_path, LOMOND_PURE="1")
    assert status == 0, said
    assert is_pure(tmp_path)


def test_a_build_in_place_takes_away_what_an_earlier_one_made(tmp_path: Path) -> None:
    """Of a module, too, that is no more: whoever asks for all modules would find that."""
    copy(tmp_path)
    package = tmp_path / "src" / "lomond"
    suffix = EXTENSION_SUFFIXES[0]
    gone, other = (package / "io" / f"{name}{suffix}" for name in ("gone", "other"))
    for path in (gone, other):
        path.touch()
    listing = package / LIST.format(suffix)
    listing.write_text("abc\n\nio.gone 0 0\nio.never 0 0\n")
    python = tmp_path / "there" / "bin" / "python"
    for command in [
        [PIP[0], "-m", "venv", "--without-pip", "there"],
        [*PIP, "--python", python, "install", "--no-deps", "-e", "."],
    ]:
        status, said = run(tmp_path, *command, LOMOND_PURE="1")
        assert status == 0, said
    assert not gone.exists()
    assert not listing.exists()
    assert other.exists()  # which is somebody else's


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


def test_a_compiled_wheel_is_small(compiled: Path, tmp_path: Path) -> None:
    (wheel,) = (compiled / "dist").iterdir()
    assert wheel.stat().st_size <= 2 * MB
    status, said = run(tmp_path, *PIP, "install", "--no-deps", "--target", "there", wheel)
    assert status == 0, said
    files = [path for path in (tmp_path / "there").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 7 * MB
    assert any(path.suffix == ".pyc" for path in files)  # pip has made them: they count


def test_what_fails_to_compile_later_fails_the_build(tmp_path: Path) -> None:
    compiler = tmp_path / "compiler"
    compiler.write_text(
        '#!/bin/sh\ncase "$*" in *small.[co]*) exec cc "$@";; esac\necho "no more memory"; exit 1\n'
    )
    compiler.chmod(0o755)
    processor = str(min(os.sched_getaffinity(0)))
    status, said = build(
        tmp_path, "taskset", "--cpu-list", processor, CC=str(compiler), LDSHARED="cc -shared"
    )
    assert status != 0
    assert "lomond: compiling; modules at a time: 1\n" in said  # of one processor
    assert "no more memory" in said
    assert "lomond: it can't be compiled here; LOMOND_PURE=1 does without" in said
    assert list((tmp_path / "dist").glob("*.whl")) == []


@pytest.mark.parametrize("place", ["lomond", "."])
def test_the_compiled_one_can_be_had_later(tmp_path: Path, place: str) -> None:
    """By the page's command: of the index's package, which lies in a folder here, or a clone."""
    copy(tmp_path)
    (line,) = re.findall(
        r"^\$ pip (install --no-cache-dir .*) path/to/the/clone$", PAGE, re.MULTILINE
    )
    python = tmp_path / "there" / "bin" / "python"
    found = {"PIP_FIND_LINKS": str(tmp_path / "dist"), "PIP_PRE": "1"}
    for command, variables in [
        ([PIP[0], "-m", "venv", "--without-pip", "there"], {}),
        ([*PIP, "wheel", "--no-deps", "-w", "dist", "."], {"LOMOND_PURE": "1"}),
        ([*PIP, "--python", python, "install", "build", "pip"], {}),
        ([python, "-m", "build", "--sdist"], {}),
        ([*PIP, "--python", python, "install", "lomond"], found),
    ]:
        status, said = run(tmp_path, *command, **variables)
        assert status == 0, said
    version = [python, "-m", "lomond", "--version"]
    assert "(pure" in run(tmp_path / "there", *version)[1]
    status, said = run(tmp_path, *PIP, "--python", python, *line.split(), place, **found)
    assert status == 0, said
    assert "(compiled" in run(tmp_path / "there", *version)[1]


def test_an_extra_can_be_added_to_what_a_clone_gave(tmp_path: Path) -> None:
    """As our messages say; the index has another lomond, which is not taken."""
    copy(tmp_path)
    python = tmp_path / "there" / "bin" / "python"
    for command in [
        [PIP[0], "-m", "venv", "--without-pip", "there"],
        [*PIP, "--python", python, "install", "."],
    ]:
        status, said = run(tmp_path, *command, LOMOND_PURE="1")
        assert status == 0, said
    version = [python, "-m", "lomond", "--version"]
    before = run(tmp_path / "there", *version)
    for extra, module in [("socks", "socksio"), ("speed", "zlib_ng"), ("truststore", "truststore")]:
        status, said = run(tmp_path, *PIP, "--python", python, "install", f"lomond[{extra}]")
        assert status == 0, said
        assert run(tmp_path / "there", python, "-c", f"import {module}") == (0, "")
    after = run(tmp_path / "there", *version)
    assert after[0] == before[0] == 0
    assert after[1].split()[:3] == before[1].split()[:3]  # the library that compresses is another
