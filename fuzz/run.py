"""Fuzz lomond by atheris: `python3 fuzz/run.py [--seconds 60] [--targets frames session]`.

The exit status is 0 where nothing was found, 1 where something was, and 77 where there is no
atheris for this Python.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import environment
import fuzz_targets

HERE = Path(__file__).resolve().parent
SOURCE = HERE.parent / "src"
FINDINGS = environment.WORK / "findings"
CORPUS = environment.WORK / "corpus"

STATUS_FOUND = 1
STATUS_UNAVAILABLE = 77
SLOW_SECONDS = 10  # for one input: a finding
MEMORY_MIB = 1024  # of the process: a finding
PATIENCE = 20  # times the seconds asked for, and a minute: then something hangs


def fuzz(python: Path, target: str, seconds: float, processes: int) -> list[dict[str, Any]] | None:
    """Fuzz one target in so many processes; what they said at their end, None after a finding."""
    found, grown = FINDINGS / target, CORPUS / target
    for folder in (found, grown):
        folder.mkdir(parents=True, exist_ok=True)
    before = set(found.iterdir())
    command = [
        str(python), str(HERE / "drive.py"), target, str(seconds),
        str(grown), str(HERE / "corpus" / target),
        f"-artifact_prefix={found}{os.sep}", f"-max_len={fuzz_targets.MAX_SIZE}",
        f"-timeout={SLOW_SECONDS}", f"-rss_limit_mb={MEMORY_MIB}", "-reload=5",
    ]  # fmt: skip
    running = [
        subprocess.Popen(
            command,
            env=_environment(is_pure=True),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )
        for _ in range(processes)
    ]
    ends: list[dict[str, Any]] = []
    is_found = False
    for process in running:
        try:
            told, log = process.communicate(timeout=PATIENCE * seconds + 60)
        except subprocess.TimeoutExpired:
            process.kill()
            told, log = process.communicate()
        if process.returncode:
            is_found = True
            print(_worth_reading(told + log), file=sys.stderr)
        else:
            ends.append(json.loads(told.splitlines()[-1]))
    for path in sorted(set(found.iterdir()) - before):
        print(f"found: {_shown(path)}; reproduce it with")
        print(f"  python3 fuzz/replay.py {target} {_shown(path)}", flush=True)
    return None if is_found else ends


def replay(python: Path, target: str) -> bool:
    """Feed what was gathered to each twin that is here; whether it passes, and they agree."""
    folders = [str(HERE / "corpus" / target), str(CORPUS / target)]
    told = []
    twins = [True, False] if _has_compiled(python) else [True]
    for is_pure in twins:
        done = subprocess.run(
            [str(python), str(HERE / "replay.py"), "--digests", target, *folders],
            env=_environment(is_pure),
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        print(done.stderr.strip()[-3000:], flush=True)
        if done.returncode:
            return False
        told.append(dict(line.split(" ") for line in done.stdout.splitlines()))
    different = [name for name in told[0] if told[0][name] != told[-1][name]]
    for name in different:
        print(f"the twins differ: {target} {name}")
    return not different


def _has_compiled(python: Path) -> bool:
    """Whether the compiled twin is here, and is that of these sources."""
    code = (
        "import sys; from pathlib import Path; from lomond import twin\n"
        "here = Path(sys.argv[1]) / 'lomond'\n"
        "sys.exit(twin.built_from(here) != twin.fingerprint(here))"
    )
    command = [str(python), "-c", code, str(SOURCE)]
    done = subprocess.run(
        command, env=_environment(is_pure=False), stderr=subprocess.DEVNULL, check=False
    )
    return done.returncode == 0


def _environment(is_pure: bool) -> dict[str, str]:
    pure = "1" if is_pure else "0"
    chosen = {"LOMOND_PURE": pure, "LOMOND_COMPILED": ""}
    return {**os.environ, **chosen, "PYTHONPATH": str(SOURCE), "PYTHONHASHSEED": "0"}


def _worth_reading(log: str) -> str:
    """What libFuzzer said, without its lines about progress."""
    lines = log.splitlines()
    start = next((i for i, line in enumerate(lines) if "=== Uncaught" in line), None)
    return "\n".join(lines[-40:] if start is None else lines[start : start + 40])


def _shown(path: Path) -> str:
    return str(path.relative_to(HERE.parent))


def main(arguments: Sequence[str]) -> int:
    """Fuzz what the arguments say; return the exit status."""
    parser = argparse.ArgumentParser(description="Fuzz lomond by atheris.")
    parser.add_argument(
        "--seconds", type=float, default=60.0, help="processor time of each target (60)"
    )
    parser.add_argument(
        "--processes", type=int, default=1, help="that share what they find and the seconds (1)"
    )
    parser.add_argument("--targets", nargs="+", choices=fuzz_targets.NAMES,
                        default=fuzz_targets.NAMES)  # fmt: skip
    parser.add_argument("--fresh", action="store_true", help="forget what earlier runs gathered")
    options = parser.parse_args(arguments)
    try:
        python = environment.python()
    except environment.UnavailableError as reason:
        print(reason, file=sys.stderr)
        return STATUS_UNAVAILABLE
    if options.fresh:
        shutil.rmtree(CORPUS, ignore_errors=True)
    is_found = False
    for target in options.targets:
        each = options.seconds / options.processes
        ends = fuzz(python, target, each, options.processes)
        if ends is None:
            is_found = True
            continue
        executions = sum(end["executions"] for end in ends)
        spent = sum(end["seconds"] for end in ends)
        print(f"{target}: {executions} executions in {spent:.1f} s of processor time, no finding")
        is_found = not replay(python, target) or is_found
    return STATUS_FOUND if is_found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
