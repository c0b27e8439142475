"""The examples as programs that somebody starts, where the server does not want them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from examples.loaded import EXAMPLES
from lomond.testing import Server, serve
from patience import PATIENCE

#: Name -> what else it is given, and whether it says by its status that it was refused.
GIVEN = {
    "board": (["FILE"], True),
    "bot": (["token", "room"], True),
    "dashboard": ([], False),  # it shows that
    "gateway": ([], True),
    "log_shipping": (["FILE"], True),
    "voice": (["token"], True),
}


@pytest.mark.parametrize("name", GIVEN)
def test_it_says_that_it_was_refused_and_ends(name: str, tmp_path: Path) -> None:
    given, fails = GIVEN[name]
    file = tmp_path / "file"
    file.write_text("20\n")
    with serve(Server().refuses(403, body="not you")) as served:
        more = [str(file) if one == "FILE" else one for one in given]
        done = subprocess.run(
            [sys.executable, str(EXAMPLES / f"{name}.py"), served.url, *more],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "COLUMNS": "200"},
            timeout=PATIENCE,
        )
    assert (done.returncode != 0) == fails
    assert "403 Forbidden; it said 'not you'" in done.stdout + done.stderr
