"""The interpreter that has atheris, in an environment of its own, made once."""

from __future__ import annotations

import subprocess
import sys
from hashlib import sha256
from pathlib import Path

WORK = Path(__file__).resolve().parent / ".work"
#: atheris, what lomond needs, and its extras.
REQUIREMENTS = ("atheris==3.0.0", "h11>=0.16,<1", "idna>=3.7", "socksio>=1.0", "zlib-ng>=0.5")


class UnavailableError(Exception):
    """Atheris can't be had here; the message says why."""


def python() -> Path:
    """The interpreter. Raises UnavailableError."""
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    name = sha256("\n".join(REQUIREMENTS).encode()).hexdigest()[:12]
    directory = WORK / f"python{version}-{name}"
    found = directory / "bin" / "python"
    if not (directory / "ready").exists():
        print("making the environment of atheris", file=sys.stderr)
        if not found.exists():
            _do([sys.executable, "-m", "venv", "--without-pip", str(directory)], version)
        pip = [sys.executable, "-m", "pip", "--quiet", "--python", str(found), "install"]
        # Its wheels hold libFuzzer; to build it takes a clang of the right version.
        _do([*pip, "--only-binary", "atheris", *REQUIREMENTS], version)
        (directory / "ready").touch()
    return found


def _do(command: list[str], version: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        why = errors[-1] if errors else (done.stderr.strip().splitlines() or ["failed"])[-1]
        raise UnavailableError(f"atheris can't be had for this Python {version}: {why}")
