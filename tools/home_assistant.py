#!/usr/bin/env python3
"""A Home Assistant for tests/long, in an environment of its own: `.cache/home-assistant`.

As a script: prints where its `hass` is. It is installed from PyPI, with the newest Python that it
wants (see newer_python.py); one that is there is used again. What it needs of its own parts it
installs itself, at its first start. Exits with 77 where it can't be had.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from newer_python import CACHE, STATUS_UNAVAILABLE, UnavailableError, provide, run

VERSION = "3.14"  # of Python
HOME = CACHE / "home-assistant"
SECONDS = 900.0  # a hundred packages


def install(home: Path) -> None:
    """Make the environment. Raises UnavailableError."""
    python = provide(VERSION, CACHE / f"python-{VERSION}")
    run(python, "-m", "venv", "--without-pip", home)
    inside = home / "bin" / "python"
    # pip would try hundreds of older packages, and build them, before it finds what fits.
    run(sys.executable, "-W", "ignore", "-m", "pip", "-q", "--python", inside, "install", "uv")
    command = [home / "bin" / "uv", "pip", "install", "-q", "--python", inside, "homeassistant"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise UnavailableError("its packages take too long to install") from None
    if done.returncode:
        raise UnavailableError("its packages can't be installed")


def main() -> int:
    """Run as a script; return the status."""
    hass = HOME / "bin" / "hass"
    if not hass.is_file():
        shutil.rmtree(HOME, ignore_errors=True)
        try:
            install(HOME)
        except UnavailableError as reason:
            shutil.rmtree(HOME, ignore_errors=True)
            print(f"Home Assistant can't be had here: {reason}", file=sys.stderr)
            return STATUS_UNAVAILABLE
    print(hass)
    return 0


if __name__ == "__main__":
    sys.exit(main())
