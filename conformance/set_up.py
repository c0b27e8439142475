"""The environment of the Autobahn test suite, which needs CPython 2.7: found, or made.

As a script: `python conformance/set_up.py [DIRECTORY]`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

HERE = Path(__file__).resolve().parent
REQUIREMENTS = HERE / "requirements.txt"
CACHE = HERE.parent / ".cache" / "autobahn"

ENVIRONMENT_VARIABLE = "LOMOND_AUTOBAHN"
PYTHON_VARIABLE = "LOMOND_PYTHON27"
STATUS_BROKEN = 2
STATUS_UNAVAILABLE = 77  # what automake and meson call a skipped test

PIP_INSTALL = ("-m", "pip", "--disable-pip-version-check", "install", "--quiet")
VIRTUALENV = "virtualenv==20.21.1"  # the last series that makes environments of Python 2.7
PROBE_SECONDS = 30.0
IS_PYTHON27 = "import sys; sys.exit(sys.version_info[:2] != (2, 7))"
HAS_AUTOBAHN = "import autobahntestsuite, wsaccel"


class UnavailableError(Exception):
    """There is no Python 2.7 on this machine."""


class BrokenError(Exception):
    """The environment that was asked for can't be used, or could not be made."""


def python_in(directory: Path) -> Path:
    """Return where a virtual environment has its interpreter."""
    return directory / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def find_environment(environ: Mapping[str, str], cache: Path = CACHE) -> Path | None:
    """Return the Python of the environment that is named or cached; None if there is none."""
    named = environ.get(ENVIRONMENT_VARIABLE)
    if named:
        python = python_in(Path(named))
        if not _runs(python, HAS_AUTOBAHN):
            raise BrokenError(f"{ENVIRONMENT_VARIABLE}={named} has no working autobahntestsuite")
        return python
    marker = _marker_of(cache)
    is_current = marker.is_file() and marker.read_bytes() == REQUIREMENTS.read_bytes()
    return python_in(cache) if is_current else None


def find_python27(environ: Mapping[str, str]) -> Path:
    """Return the first Python 2.7 that really runs."""
    named = environ.get(PYTHON_VARIABLE)
    candidates = [Path(named)] if named else list(_candidates(environ))
    for candidate in candidates:
        if _runs(candidate, IS_PYTHON27):
            return candidate
    tried = ", ".join(map(str, candidates)) or "nothing by that name"
    raise UnavailableError(
        f"Autobahn needs CPython 2.7, and none was found (tried: {tried}). Name an interpreter "
        f"in {PYTHON_VARIABLE}, or an environment with autobahntestsuite in {ENVIRONMENT_VARIABLE}."
    )


def make_environment(python27: Path, directory: Path) -> Path:
    """Make the environment; return its Python. The marker comes last: no marker, not whole."""
    marker = _marker_of(directory)
    marker.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        maker = python_in(Path(scratch))
        _call(sys.executable, "-m", "venv", scratch)
        _call(maker, *PIP_INSTALL, VIRTUALENV)
        _call(maker, "-m", "virtualenv", "--quiet", "--clear", "-p", python27, directory)
    python = python_in(directory)
    of_27 = ("--no-python-version-warning", "--no-deps")
    _call(python, "-E", *PIP_INSTALL, *of_27, "-r", REQUIREMENTS)
    if not _runs(python, HAS_AUTOBAHN):
        raise BrokenError(f"{directory} was made, but autobahntestsuite does not import in it")
    shutil.copyfile(REQUIREMENTS, marker)
    return python


def have_environment(environ: Mapping[str, str], cache: Path = CACHE) -> Path:
    """Return the Python of the environment, which is made if there is none."""
    python = find_environment(environ, cache)
    if python is None:
        python27 = find_python27(environ)
        print(f"making the environment of Autobahn in {cache}, with {python27}", flush=True)
        python = make_environment(python27, cache)
    return python


def _candidates(environ: Mapping[str, str]) -> Iterator[Path]:
    for name in ("python2.7", "python2"):
        for directory in environ.get("PATH", "").split(os.pathsep):
            found = shutil.which(name, path=directory) if directory else None
            if found:
                yield Path(found)
    home = environ.get("HOME")
    pyenv = environ.get("PYENV_ROOT") or (home and os.path.join(home, ".pyenv"))
    if pyenv:
        yield from sorted(Path(pyenv).glob("versions/2.7*/bin/python2.7"), reverse=True)


def _runs(python: Path, program: str) -> bool:
    """Whether it starts and agrees. A pyenv shim may be there and still refuse to start."""
    command = [str(python), "-E", "-c", program]
    try:
        done = subprocess.run(command, capture_output=True, timeout=PROBE_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _call(*command: str | Path) -> None:
    try:
        subprocess.run([str(word) for word in command], check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise BrokenError(f"the environment could not be made: {error}") from error


def _marker_of(directory: Path) -> Path:
    return directory / "made-of.txt"


def main(arguments: list[str]) -> int:
    """Have an environment, and say where; return the exit status."""
    cache = Path(arguments[0]).resolve() if arguments else CACHE
    try:
        print(have_environment(os.environ, cache))
    except UnavailableError as reason:
        print(reason, file=sys.stderr)
        return STATUS_UNAVAILABLE
    except BrokenError as reason:
        print(reason, file=sys.stderr)
        return STATUS_BROKEN
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
