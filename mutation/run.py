"""Try mutants of protocol/ and session/ by mutmut: `python3 mutation/run.py [--size 500] [--all]`.

A mutant is the source with one small change in a function; a test of protocol, session or golden
traces is to fail on it. (mutmut leaves constants of modules and properties alone.) Those that
survive are printed; survivors.txt names those that may. The exit status is 0 where there are no
others, and few of these, 1 where not, 77 where mutmut can't be installed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import survivors
from survivors import Change

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
#: A copy of the sources, with mutmut's own folder in it, and the environment that it runs in.
WORK = ROOT / ".cache" / "mutation"
ENVIRONMENT = ROOT / ".cache" / "mutmut"
PACKAGES = (
    "mutmut==3.8.1", "h11>=0.16,<1", "hypothesis>=6.100", "idna>=3.7", "pytest>=8.3",
    "pytest-timeout>=2.3", "socksio>=1.0", "trio>=0.30", "trustme>=1.2", "zlib-ng>=0.5",
)  # fmt: skip
ROOMS = ("protocol", "session")

STATUS_BAD = 1
STATUS_UNAVAILABLE = 77
#: What mutmut has for a mutant whose tests all passed, or that no test reaches.
SURVIVED = (0, 5, 33)
#: And for one that a test failed on. Else it ran too long, or ended its process.
KILLED = (1, 3)


def make_environment() -> Path | None:
    """The interpreter of an environment with mutmut, or None."""
    python = ENVIRONMENT / "bin" / "python"
    ready = ENVIRONMENT / "ready"
    if not ready.exists() or ready.read_text() != "\n".join(PACKAGES):
        venv.create(ENVIRONMENT, clear=True, with_pip=False)
        # The pip of whoever has one: this environment may have none.
        command = ["python3", "-m", "pip", "--quiet", "--python", str(python), "install", *PACKAGES]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"mutmut can't be installed here: {done.stderr.strip()[-300:]}")
            return None
        ready.write_text("\n".join(PACKAGES))
    return python


def copy_sources() -> None:
    """Lay the sources, as they are now, where mutmut works."""
    shutil.rmtree(WORK, ignore_errors=True)
    leave = shutil.ignore_patterns("__pycache__", "*.so", "*.pyd", "compiled.*.txt", "*.egg-info")
    for name in ("src", "tests"):
        shutil.copytree(ROOT / name, WORK / name, ignore=leave)
    shutil.copy(ROOT / "pyproject.toml", WORK)


def all_mutants(python: Path) -> dict[str, Change]:
    """The mutants that count, by mutmut's names."""
    sources = [
        str(path.relative_to(WORK))
        for room in ROOMS
        for path in sorted((WORK / "src" / "lomond" / room).rglob("*.py"))
    ]
    command = [str(python), str(HERE / "mutants.py"), *sources]
    done = subprocess.run(command, cwd=WORK, stdout=subprocess.PIPE, text=True, check=True)
    found: list[dict[str, str]] = json.loads(done.stdout)
    return {
        each["name"]: Change(
            f"{each['path'].removeprefix('src/lomond/')} {each['function']}",
            each["old"],
            each["new"],
        )
        for each in found
    }


def try_mutants(python: Path, names: Sequence[str], jobs: int) -> dict[str, int]:
    """What mutmut has for each of them.

    Raises:
        RuntimeError: mutmut did not get to the end.
    """
    command = [str(python.parent / "mutmut"), "run", "--max-children", str(jobs), *names]
    environment = {**os.environ, "LOMOND_PURE": "1", "LOMOND_COMPILED": ""}
    with (WORK / "log").open("w") as log:
        status = subprocess.run(
            command, cwd=WORK, env=environment, stdout=log, stderr=subprocess.STDOUT, check=False
        ).returncode
    codes: dict[str, int | None] = {}
    for path in (WORK / "mutants").rglob("*.meta"):
        kept: dict[str, Any] = json.loads(path.read_text())
        codes |= kept["exit_code_by_key"]
    if status or any(codes.get(name) is None for name in names):
        raise RuntimeError((WORK / "log").read_text()[-3000:])
    return {name: code for name in names if (code := codes[name]) is not None}


def main(arguments: Sequence[str]) -> int:
    """Try the mutants that the arguments say; return the exit status."""
    parser = argparse.ArgumentParser(description="Try mutants of protocol/ and session/ by mutmut.")
    parser.add_argument("--size", type=int, default=500, help="how many, by chance (500)")
    parser.add_argument("--seed", type=int, default=1, help="of that choice (1)")
    parser.add_argument("--all", action="store_true", help="each there is")
    parser.add_argument("--only", default="", help="those whose mutmut name begins so")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="at a time")
    options = parser.parse_args(arguments)
    known = survivors.read((HERE / "survivors.txt").read_text())
    python = make_environment()
    if python is None:
        return STATUS_UNAVAILABLE
    copy_sources()
    mutants = all_mutants(python)
    names = [
        name
        for name, change in mutants.items()
        if change.left_out is None and name.startswith(options.only)
    ]
    told = f"all of {len(names)} mutants"
    if not options.all and options.size < len(names):
        told = f"{options.size} of {len(names)} mutants, by --seed {options.seed}"
        names = survivors.sample(
            {name: mutants[name] for name in names}, options.size, options.seed
        )
    print(f"{told} ({len(mutants)} with those that are left out)", flush=True)
    codes = try_mutants(python, names, options.jobs)
    outcome = survivors.judge(
        ((mutants[name], codes[name] in SURVIVED) for name in names), known, set(mutants.values())
    )
    print(outcome)
    others = [name for name in names if codes[name] not in (*SURVIVED, *KILLED)]
    print(f"{len(others)} hung or crashed, which is noticed too")
    return 0 if outcome.is_good else STATUS_BAD


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
