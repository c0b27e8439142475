"""An environment for each peer, made once; that of a checkout anew where its sources changed."""

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
        return _have(base, requirements, fingerprint(Path(requirements[0])))
    return _have(base, peer.requirements)


@cache
def fingerprint(checkout: Path) -> str:
    """What tells that a checkout's sources are those that were installed."""
    files = [checkout / "setup.py", checkout / "pyproject.toml"]
    for kind in ("py", "pyx", "pxd"):
        files += sorted((checkout / "src").rglob(f"*.{kind}"))
    digest = sha256()
    for path in files:
        digest.update(f"{path.relative_to(checkout)}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


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
def _have(base: Path, requirements: tuple[str, ...], sources: str = "") -> Path:
    major, minor = _version(base)
    name = sha256("\n".join(requirements).encode()).hexdigest()[:12]
    directory = ENVIRONMENTS / f"{major}.{minor}-{name}"
    python = directory / "bin" / "python"
    ready = directory / "ready"
    if not ready.exists() or ready.read_text() != sources:
        print(f"making the environment of {' '.join(requirements) or 'nothing'}", file=sys.stderr)
        if not python.exists():
            _do([str(base), "-m", "venv", "--without-pip", str(directory)])
        if requirements:
            pip = [sys.executable, "-m", "pip", "--quiet", "--python", str(python), "install"]

            _do([*pip, "--upgrade", *requirements])
        ready.write_text(sources)
    return python


def _do(command: list[str]) -> None:
    environment = {**os.environ, "LOMOND_COMPILED": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stderr, file=sys.stderr)
        raise UnavailableError("its environment can't be made here")  # results name no machine
