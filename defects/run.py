"""Show the defects B1 to B7 on lomond 0.3.4, and that they are gone here.

`.venv/bin/python defects/run.py` makes an environment for the old one (kept under defects/.envs)
and runs each reproduction on both, all at once. The exit status is 0 where each is shown there and
gone here, 77 where the old one can't be had.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import trustme

HERE = Path(__file__).resolve().parent
OLD = "lomond==0.3.4"
NAMES = ("b1", "b2", "b3", "b4", "b5", "b6", "b7")
LONGEST = 60.0  # seconds
TRIES = 8
UNAVAILABLE = 77


def old_python() -> Path | None:
    """The interpreter of an environment with the old lomond."""
    directory = HERE / ".envs" / f"{sys.version_info.major}.{sys.version_info.minor}-0.3.4"
    python = directory / "bin" / "python"
    if not (directory / "ready").exists():
        make = [sys.executable, "-m", "venv", "--without-pip", str(directory)]
        # The pip of whoever has one: this environment may have none.
        pip = ["python3", "-m", "pip", "--quiet", "--python", str(python), "install", OLD]
        for command in (make, pip):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                print(f"{OLD} can't be installed here: {done.stderr.strip()[-300:]}")
                return None
        (directory / "ready").touch()
    return python


def outcome(python: Path, name: str, environment: dict[str, str]) -> str:
    """What the reproduction said last."""
    try:
        done = subprocess.run(
            [python, HERE / "reproductions.py", name],
            env=os.environ | environment,
            capture_output=True,
            text=True,
            timeout=LONGEST,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"nothing in {LONGEST:.0f} s"
    said = done.stdout.strip().splitlines() or done.stderr.strip().splitlines() or ["nothing"]
    return said[-1]


def shown(python: Path, name: str, environment: dict[str, str]) -> str:
    """As `outcome`, of the old one: what is a race is not lost at each try."""
    for _ in range(TRIES):
        said = outcome(python, name, environment)
        if said.startswith("shown:"):
            break
    return said


def main() -> int:
    """Run all; the exit status."""
    old = old_python()
    if old is None:
        return UNAVAILABLE
    with tempfile.TemporaryDirectory() as directory:
        authority = trustme.CA()
        files = {"AUTHORITY": f"{directory}/ca.pem", "CERTIFICATE": f"{directory}/server.pem"}
        authority.cert_pem.write_to_path(files["AUTHORITY"])
        authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(
            files["CERTIFICATE"]
        )
        os.environ.pop("PYTHONPATH", None)  # it would be that of the old one too
        pythons = {"0.3.4": old, "here": Path(sys.executable)}
        jobs = [(name, which) for name in NAMES for which in pythons]
        with ThreadPoolExecutor(len(jobs)) as pool:
            ways = {"0.3.4": shown, "here": outcome}
            said = list(pool.map(lambda job: ways[job[1]](pythons[job[1]], job[0], files), jobs))
    is_right = True
    for (name, which), what in zip(jobs, said, strict=True):
        is_right = is_right and what.startswith("shown:" if which == "0.3.4" else "gone:")
        print(f"{name}  {which:6}{what}")
    return 0 if is_right else 1


if __name__ == "__main__":
    sys.exit(main())
