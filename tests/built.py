"""Stops pytest at once where other sources were compiled than those that are to be tested."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it says less than is said here
    import lomond
    from lomond import twin

SOURCES = Path(__file__).parents[1] / "src" / "lomond"

if not twin.is_asked("LOMOND_PURE") and twin.built_from(Path(lomond.__path__[0])) not in (
    None,
    twin.fingerprint(SOURCES),
):
    sys.exit(
        "The sources are not those that were compiled: install again (pip install -e '.[dev]'), "
        "or set LOMOND_PURE=1."
    )
