"""The examples as programs that somebody starts: wrongly, without a server, or where it refuses."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from examples.loaded import EXAMPLES, example
from lomond.testing import Server, serve
from patience import PATIENCE
from programs import free_port

#: Name -> what else it is given, and whether it says by its status that it was refused.
GIVEN = {
    "board": (["FILE"], True),
    "bot": (["room"], True),
    "dashboard": ([], False),  # it shows that
    "gateway": (["lamp=ws://127.0.0.1:1"], True),
    "log_shipping": (["FILE"], True),
    "voice": ([], True),
}
#: What some import that may not be installed.
_NEED = {"bridge": "No module named 'nats'", "mqtt": "No module named 'paho'"}
#: Name -> what else it is given; of those that end where there is no server, with an error.
ENDING = {"json_rpc": ["method"], "transfer": ["FILE"], "voice": []}
#: The same, of those that go on.
STAYING = {
    "board": ["FILE"],
    "bot": ["room"],
    "dashboard": [],
    "exchange": ["topic"],
    "gateway": ["lamp=ws://127.0.0.1:1"],
    "home_assistant": [],
    "log_shipping": ["FILE"],
    "single_use_urls": [],
}
SECRETS = ("BOT_TOKEN", "API_KEY", "API_SECRET", "HASS_TOKEN", "VOICE_TOKEN")
ENVIRON = {**os.environ, "COLUMNS": "200", **dict.fromkeys(SECRETS, "s3cret")}
NAMES = sorted(path.stem for path in EXAMPLES.glob("*.py"))


def command(name: str, *arguments: str) -> list[str]:
    return [sys.executable, str(EXAMPLES / f"{name}.py"), *arguments]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_text("20\n")
    return path


@pytest.mark.parametrize("name", NAMES)
def test_it_says_how_to_run_it(name: str) -> None:
    done = subprocess.run(
        command(name), capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    if name in _NEED and _NEED[name] in done.stderr:
        pytest.skip(f"{_NEED[name]} is not there")
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert "usage: " in done.stderr or done.stderr.strip() == (example(name).__doc__ or "").strip()


@pytest.mark.parametrize("name", ENDING)
def test_it_fails_where_there_is_no_server(name: str, file: Path) -> None:
    url = f"ws://127.0.0.1:{free_port()}"
    given = [str(file) if one == "FILE" else one for one in ENDING[name]]
    arguments = ["send", url, *given] if name == "transfer" else [url, *given]
    done = subprocess.run(
        command(name, *arguments),
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env=ENVIRON,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode != 0
    assert "unable to connect" in done.stderr


@pytest.mark.parametrize("name", STAYING)
def test_it_says_why_it_waits_where_there_is_no_server(name: str, file: Path) -> None:
    scheme = "http" if name == "single_use_urls" else "ws"
    url = f"{scheme}://127.0.0.1:{free_port()}"
    given = [str(file) if one == "FILE" else one for one in STAYING[name]]
    running = subprocess.Popen(
        command(name, url, *given),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=ENVIRON,
    )
    try:
        assert running.stdout is not None
        said = ""
        for line in running.stdout:
            said += line
            if "Connection refused" in line:
                break
        assert "Connection refused" in said
        assert "s3cret" not in said
    finally:
        running.kill()
        running.communicate()


@pytest.mark.parametrize("name", GIVEN)
def test_it_says_that_it_was_refused_and_ends(name: str, file: Path) -> None:
    given, fails = GIVEN[name]
    with serve(Server().refuses(403, body="not you")) as served:
        more = [str(file) if one == "FILE" else one for one in given]
        done = subprocess.run(
            command(name, served.url, *more),
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            env=ENVIRON,
            timeout=PATIENCE,
            check=False,
        )
    assert (done.returncode != 0) == fails
    assert "403 Forbidden; it said 'not you'" in done.stdout + done.stderr
