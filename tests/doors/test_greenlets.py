"""lomond in a program that gevent has changed, or eventlet: each test is a process of its own.

What is tried stands in greenlet_programs.py. With every switch it is looked whether a lock of ours
is held.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PATIENCE = 60.0  # seconds; the program says what hangs before that
NAMES = [
    part.name
    for part in ast.parse((HERE / "greenlet_programs.py").read_text()).body
    if isinstance(part, ast.FunctionDef)
    and any(isinstance(d, ast.Name) and d.id == "program" for d in part.decorator_list)
]
# eventlet is deprecated by its makers: that nothing is missing for it, and no more.
WITH_EVENTLET = (
    "polls_and_pings_go_on", "many_greenlets_send", "over_tls", "twenty_connections", "a_group",
)  # fmt: skip
IN_ANY_ORDER = ("polls_and_pings_go_on", "many_greenlets_send")


@pytest.mark.parametrize(
    ("library", "name"),
    [
        *(("gevent", name) for name in NAMES),
        *(("late", name) for name in IN_ANY_ORDER),
        *(("eventlet", name) for name in WITH_EVENTLET),
    ],
)
def test_what_users_see_in_greenlets(library: str, name: str) -> None:
    needed = "gevent" if library == "late" else library
    if find_spec(needed) is None:
        pytest.skip(f"{needed} is not installed")
    paths = [str(HERE.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    done = subprocess.run(
        [sys.executable, "-W", "error", HERE / "in_greenlets.py", library, name],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr[-4000:]
