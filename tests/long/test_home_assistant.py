"""The example that hears a Home Assistant, with a real one: tools/home_assistant.py installs it."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from examples.loaded import example
from lomond import WebSocket
from programs import PATIENCE, Program, free_port

pytestmark = [pytest.mark.long, pytest.mark.timeout(1200)]

BIN = Path(__file__).parents[2] / ".cache" / "home-assistant" / "bin"
CONFIGURATION = """
http:
  server_host: 127.0.0.1
  server_port: {port}
api:
websocket_api:
"""


class Home:
    """One that runs, and what its REST interface gives."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.url = f"ws://127.0.0.1:{program.port}/api/websocket"
        self._rest = f"http://127.0.0.1:{program.port}"
        self.token = ""

    def ask(self, path: str, value: Any, kind: str = "application/json") -> Any:
        """What it answers to a POST, or to a GET where the value is None; asked until it serves."""
        data = json.dumps(value).encode() if isinstance(value, dict) else value
        headers = {"Content-Type": kind}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        end = time.monotonic() + PATIENCE
        while True:
            request = urllib.request.Request(self._rest + path, data, headers)
            try:
                with urllib.request.urlopen(request, timeout=10) as answer:
                    return json.load(answer)
            except (urllib.error.URLError, ConnectionError) as error:
                if time.monotonic() > end:
                    raise AssertionError(self.program.said()) from error
                time.sleep(0.2)

    def log_in(self) -> None:
        """Have a token that is good for half an hour."""
        client = f"{self._rest}/"
        asked = {"client_id": client, "handler": ["homeassistant", None], "redirect_uri": client}
        flow = self.ask("/auth/login_flow", asked)
        who = {"client_id": client, "username": "me", "password": "secret"}
        found = self.ask(f"/auth/login_flow/{flow['flow_id']}", who)
        form = f"client_id={client}&grant_type=authorization_code&code={found['result']}"
        kind = "application/x-www-form-urlencoded"
        self.token = self.ask("/auth/token", form.encode(), kind)["access_token"]
        while self.ask("/api/config", None)["state"] != "RUNNING":  # else it would forget that
            time.sleep(0.2)

    def fire(self, name: str) -> None:
        """Have an event happen."""
        self.ask(f"/api/events/{name}", {})


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    hass = BIN / "hass"
    if not hass.is_file():
        pytest.skip("there is no Home Assistant; python3 tools/home_assistant.py installs it")
    folder = tmp_path_factory.mktemp("home")
    port = free_port()
    (folder / "configuration.yaml").write_text(CONFIGURATION.format(port=port))
    environ = {"PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
    add = Program([str(hass), "--script", "auth", "-c", str(folder)], 0, folder / "log", environ)
    add.run("add", "me", "secret")
    with Program([str(hass), "-c", str(folder)], port, folder / "log", environ) as program:
        made = Home(program)
        made.log_in()
        yield made


class Patient(WebSocket):
    """Tries again every half second, until the home has started."""

    def persist(self, **options: Any) -> Any:
        return super().persist(**options, min_wait=0.5, max_wait=0.5)


def fired(event: Any) -> str:
    """The name of an event of ours; of the home's own, nothing."""
    name: str = event.json["event"]["event_type"] if event.name == "text" else ""
    return name if name.startswith("lomond_") else ""


def test_a_restart_is_behind_a_gap(home: Home) -> None:
    restarts: list[threading.Thread] = []
    entered: list[Any] = []
    names: list[str] = []
    last = 0.0  # when the first connection brought its last message

    def restart() -> None:
        home.program.end(signal.SIGTERM)
        home.program.start()

    heard = example("home_assistant").happenings(Patient(home.url), home.token)
    for event in heard:
        if event.name == "entered":
            entered.append(event)
            home.fire(f"lomond_{len(entered)}")
        elif len(entered) == 1:
            last = event.received_time
        if name := fired(event):
            names.append(name)
            if len(names) == 2:
                break
            restarts.append(threading.Thread(target=restart))
            restarts[0].start()
    heard.close()
    restarts[0].join()
    assert names == ["lomond_1", "lomond_2"]
    assert [event.number for event in entered] == [1, 2]
    assert entered[0].gap is None
    gap = entered[1].gap
    assert gap.since == last
    assert gap.seconds == pytest.approx(entered[1].received_time - last, abs=0.5)
    assert gap.ending is not None
    assert gap.ending.by in ("server", "network")


def test_a_wrong_token_is_final(home: Home) -> None:
    websocket = Patient(home.url)
    with pytest.raises(PermissionError, match="refused the connection: Invalid access token"):
        list(example("home_assistant").happenings(websocket, "wrong"))
    assert websocket.ending is not None
    assert (websocket.ending.kind, websocket.ending.by) == ("refused", "client")
