"""Check inputs without atheris: `python fuzz/replay.py [--digests] TARGET FILE_OR_FOLDER...`.

The exit status is 1 if an invariant does not hold. `LOMOND_PURE=1` chooses the pure twin.
"""

from __future__ import annotations

import argparse
import sys
import traceback
import tracemalloc
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "src")]

import fuzz_targets  # noqa: E402  it is beside this script


def inputs(paths: list[Path]) -> Iterator[Path]:
    """The files, and those in the folders."""
    for path in paths:
        yield from sorted(path.iterdir()) if path.is_dir() else [path]


def checked(check: fuzz_targets.Check, data: bytes) -> str:
    """What happened with one input. Raises if it is not as it must be."""
    tracemalloc.start()
    try:
        story = check(data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak <= fuzz_targets.MAX_MEMORY, f"{peak} bytes of memory"
    return story


def main() -> int:
    """Replay what the arguments say; return the exit status."""
    parser = argparse.ArgumentParser(description="Check inputs without atheris.")
    parser.add_argument("--digests", action="store_true", help="print what happened, as digests")
    parser.add_argument("target", choices=fuzz_targets.NAMES)
    parser.add_argument("paths", nargs="+", type=Path)
    options = parser.parse_args()
    from lomond import twin

    check = fuzz_targets.load(options.target)
    count = findings = 0
    for path in inputs(options.paths):
        count += 1
        try:
            story = checked(check, path.read_bytes())
        except Exception:
            findings += 1
            print(f"{path}:", file=sys.stderr)
            traceback.print_exc()
            continue
        if options.digests:
            print(path.name, sha256(story.encode("utf-8", "surrogateescape")).hexdigest())
    said = f"{options.target}: {count} inputs on the {twin.running} twin, {findings} findings"
    print(said, file=sys.stderr)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
