"""An environment for each peer, made once; that of this checkout is made anew."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from hashlib import sha256
from pathlib import Path

from peers import PICOWS, UVLOOP, Peer

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
ENVIRONMENTS = HERE / ".envs"
TOOLS = (PICOWS, UVLOOP, "trustme==1.2.1")


class UnavailableError(Exception):
    """The peer can't be had here; the message says why."""


def python_of(peer: Peer) -> Path:
    """The interpreter of the peer's environment. Raises UnavailableError."""
    base = interpreter(peer.least_python)
    if peer.is_ours:
        requirements = tuple(str(ROOT) if r == "." else r for r in peer.requirements)
        return _have(base, requirements, is_fresh=True)
    return _have(base, peer.requirements)


def tools() -> Path:
    """The interpreter that runs the servers."""
    return _have(Path(sys.executable), TOOLS)


def interpreter(least: tuple[int, int]) -> Path:
    """This Python, or the newest found that is new enough."""
    if sys.version_info[:2] >= least:
        return Path(sys.executable)
    pyenv = sorted(Path.home().glob(".pyenv/versions/3.*/bin/python"), reverse=True)
    named = [shutil.which(f"python3.{minor}") for minor in (14, 13, 12)]
    for candidate in [*named, *pyenv]:
        if candidate and _version(Path(candidate)) >= least:
            return Path(candidate)
    raise UnavailableError(f"there is no Python {least[0]}.{least[1]} or later here")


@cache
def _version(python: Path) -> tuple[int, int]:
    code = "import sys; print(*sys.version_info[:2])"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    major, _, minor = done.stdout.strip().partition(" ")
    return (int(major), int(minor)) if minor else (0, 0)


@cache
def _have(base: Path, requirements: tuple[str, ...], is_fresh: bool = False) -> Path:
    major, minor = _version(base)
    name = sha256("\n".join(requirements).encode()).hexdigest()[:12]
    directory = ENVIRONMENTS / f"{major}.{minor}-{name}"
    python = directory / "bin" / "python"
    if is_fresh or not (directory / "ready").exists():
        print(f"making the environment of {' '.join(requirements) or 'nothing'}", file=sys.stderr)
        if not python.exists():
            _do([str(base), "-m", "venv", "--without-pip", str(directory)])
        if requirements:
            pip = [sys.executable, "-m", "pip", "--quiet", "--python", str(python), "install"]

            _do([*pip, "--upgrade", *requirements])
        (directory / "ready").touch()
    return python


def _do(command: list[str]) -> None:
    environment = {**os.environ, "LOMOND_COMPILED": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UnavailableError(done.stderr.strip().splitlines()[-1] if done.stderr else "failed")
