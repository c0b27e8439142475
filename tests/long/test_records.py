"""Sessions with real servers are recorded, and replayed as they were, without a secret.

Jupyter's kernels, a NATS server, an MQTT broker (mosquitto) and a Chromium, as others wrote them.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen
from uuid import uuid4

import pytest

from alike import alike
from doors.every_door import DOORS
from lomond.records import Recorder, read, replay
from programs import Program, free_port

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin"])
JUPYTER = Path(__file__).parents[2] / ".cache" / "jupyter"
#: What is used to log in somewhere: none of it may be in a record.
TOKEN, USER, PASSWORD, COOKIE = "t0ken-of-jupyter", "al1ce-of-mqtt", "passw0rd-of-mqtt", "b1scuits"
SECRETS = (TOKEN, USER, PASSWORD, COOKIE)


@pytest.fixture(params=list(DOORS))
def door(request: pytest.FixtureRequest) -> Any:
    return DOORS[request.param]


def found(name: str, *others: str) -> str:
    """Where a program is; the test is skipped where it is not installed."""
    path = next(filter(None, (shutil.which(one, path=PATH) for one in (name, *others))), None)
    if path is None:
        pytest.skip(f"there is no {name} here; Debian: apt-get install {name}")
    return path


class Twice(Recorder):
    """What writes two records of the same: one for others, and one with all in it."""

    def __init__(self, path: Path, redact: Callable[[Any], Any] | None) -> None:
        super().__init__(path, redact=redact)
        self.whole = Recorder(path.with_suffix(".whole"), secrets=True)

    def __call__(self, entry: Any) -> None:
        self.whole(entry)
        super().__call__(entry)


def recorded(
    door: Any,
    url: str,
    path: Path,
    act: Callable[[Any, Any], object],
    redact: Callable[[Any], Any] | None = None,
    **options: Any,
) -> None:
    """Record a session in which the program does that at each event, and compare its replay."""
    seen: list[Any] = []
    names: list[str] = []
    recorder = Twice(path, redact)
    websocket = door(url, record=recorder, proxies={}, cookies={"c": COOKIE}, **options)
    for event in websocket.connect(poll=None):
        seen.append(alike(event, is_over=False))
        names.append(event.name)
        act(websocket, event)
    whole = path.with_suffix(".whole")
    assert [alike(event, is_over=False) for event in replay(whole)] == seen
    again = list(replay(path))
    assert [event.name for event in again] == names
    text = path.read_text()
    in_bytes = [str(b64decode(found)) for found in re.findall(r'"b64":"([^"]*)"', text)]
    everything = "\n".join([text, *in_bytes, *map(repr, read(path)), *map(repr, again)])
    pair = b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    assert [secret for secret in (*SECRETS, pair) if secret in everything] == []
    assert COOKIE in whole.read_text()


# Jupyter


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    python = JUPYTER / "bin" / "python"
    if not (JUPYTER / "made").is_file():
        commands = [
            [sys.executable, "-m", "venv", "--clear", str(JUPYTER)],
            [str(python), "-m", "pip", "install", "-q", "jupyter-server", "ipykernel"],
        ]
        try:
            for command in commands:
                subprocess.run(command, check=True, capture_output=True, timeout=500)
        except (OSError, subprocess.SubprocessError) as error:
            pytest.skip(f"Jupyter can't be installed here: {type(error).__name__}")
        (JUPYTER / "made").touch()
    port, folder = free_port(), tmp_path_factory.mktemp("jupyter")
    command = [str(python), "-m", "jupyter_server", "--allow-root", "--no-browser"]
    command += [f"--port={port}", "--ServerApp.port_retries=0", f"--ServerApp.root_dir={folder}"]
    command += [f"--IdentityProvider.token={TOKEN}"]
    environ = {"HOME": str(folder), "PATH": f"{python.parent}:{PATH}"}
    with Program(command, port, folder / "log", environ):
        yield port


def new_kernel(port: int) -> str:
    asked = Request(
        f"http://127.0.0.1:{port}/api/kernels",
        data=b"{}",
        headers={"Authorization": f"token {TOKEN}", "Content-Type": "application/json"},
    )
    with urlopen(asked, timeout=60) as answer:
        number: str = json.load(answer)["id"]
        return number


@pytest.mark.parametrize("by", ["query", "header"])
def test_a_kernel_of_jupyter(door: Any, jupyter: int, tmp_path: Path, by: str) -> None:
    url = f"ws://127.0.0.1:{jupyter}/api/kernels/{new_kernel(jupyter)}/channels"
    given: dict[str, Any] = {"headers": {"Authorization": f"token {TOKEN}"}}
    if by == "query":
        url, given = f"{url}?token={TOKEN}", {}
    printed: list[str] = []

    def act(websocket: Any, event: Any) -> None:
        if event.name == "ready":
            header = {
                "msg_id": str(uuid4()), "msg_type": "execute_request", "username": "",
                "session": str(uuid4()), "version": "5.3", "date": "",
            }  # fmt: skip
            content = {"code": "print(6 * 7, '\u20ac')", "silent": False}
            asked = {"header": header, "content": content, "channel": "shell"}
            websocket.send_json({**asked, "parent_header": {}, "metadata": {}})
        elif event.name == "text":
            said = event.json
            if said["msg_type"] == "stream":
                printed.append(said["content"]["text"])
            if said["msg_type"] == "execute_reply":
                websocket.close()

    recorded(door, url, tmp_path / "record.jsonl", act, **given)
    assert "".join(printed) == "42 \u20ac\n"


def test_jupyter_refuses_who_has_no_token(door: Any, jupyter: int, tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    url = f"ws://127.0.0.1:{jupyter}/api/kernels/{uuid4()}/channels?token={PASSWORD}"
    recorded(door, url, path, lambda websocket, event: None)
    (rejected,) = (event for event in replay(path) if event.name == "rejected")
    assert rejected.response.status_code in (403, 404)


# NATS


@pytest.fixture
def nats(tmp_path: Path) -> Iterator[int]:
    port, settings = free_port(), tmp_path / "nats.conf"
    settings.write_text(
        f'host: 127.0.0.1\nport: {free_port()}\nauthorization {{ token: "{TOKEN}" }}\n'
        f"websocket {{ host: 127.0.0.1, port: {port}, no_tls: true }}\n"
    )
    with Program([found("nats-server"), "-c", str(settings)], port, tmp_path / "log"):
        yield port


def without_login(message: bytes) -> bytes:
    return re.sub(rb'"auth_token":"[^"]*"', b'"auth_token":"***"', message)


def test_a_server_of_nats(door: Any, nats: int, tmp_path: Path) -> None:
    said = b""

    def act(websocket: Any, event: Any) -> None:
        nonlocal said
        if event.name == "ready":
            login = b'CONNECT {"verbose":false,"pedantic":false,"auth_token":"%s"}\r\n'
            websocket.send_binary(login % TOKEN.encode())
            websocket.send_binary(b"SUB a 1\r\nPUB a 5\r\nhello\r\nPUB a 3\r\n\x00\xff\x01\r\n")
        elif event.name == "binary":
            said += event.data
            if said.endswith(b"\x00\xff\x01\r\n"):
                websocket.send_binary(b"NONSENSE\r\n")  # so that it closes

    recorded(door, f"ws://127.0.0.1:{nats}/", tmp_path / "record.jsonl", act, without_login)
    assert b"MSG a 1 5\r\nhello\r\n" in said


# MQTT


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Program]:
    port, settings = free_port(), tmp_path / "mosquitto.conf"
    settings.write_text(
        f"listener 0 {tmp_path}/unix\nlistener {port} 127.0.0.1\nprotocol websockets\n"
        "allow_anonymous true\nuser root\n"
    )
    command = [found("mosquitto"), "-c", str(settings)]
    with Program(command, port, tmp_path / "log") as program:
        yield program


def field(text: str) -> bytes:
    return len(text).to_bytes(2, "big") + text.encode()


def packet(kind: int, body: bytes) -> bytes:
    return bytes([kind, len(body)]) + body


def without_password(message: bytes) -> bytes:
    return b"CONNECT, redacted" if message[0] == 0x10 else message


def test_a_broker_of_mqtt_that_is_killed(door: Any, broker: Program, tmp_path: Path) -> None:
    heard: list[bytes] = []
    login = b"\x00\x04MQTT\x04\xc2\x00\x3c" + field("me") + field(USER) + field(PASSWORD)

    def act(websocket: Any, event: Any) -> None:
        if event.name == "ready":
            websocket.send_binary(packet(0x10, login))
            websocket.send_binary(packet(0x82, b"\x00\x01" + field("t") + b"\x00"))
        elif event.name == "binary":
            heard.append(event.data)
            if event.data[0] == 0x90:  # subscribed
                websocket.send_binary(packet(0x30, field("t") + b"hello\xff"))
            elif event.data[0] == 0x30:
                broker.end(signal.SIGKILL)

    url = f"ws://{USER}:{PASSWORD}@127.0.0.1:{broker.port}/mqtt"
    path = tmp_path / "record.jsonl"
    recorded(door, url, path, act, without_password, protocols=["mqtt"])
    assert b"".join(heard).endswith(packet(0x30, field("t") + b"hello\xff"))
    assert [line.value for line in read(path) if line.direction == "out"][1] == b"CONNECT, redacted"


# Chromium


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[str]:
    names = ("chromium-headless-shell", "chromium", "google-chrome", "chrome")
    port = free_port()
    command = [found(*names), "--headless", "--no-sandbox", "--disable-gpu"]
    command += [f"--user-data-dir={tmp_path / 'profile'}", f"--remote-debugging-port={port}"]
    with Program(command, port, tmp_path / "log"):
        with urlopen(f"http://127.0.0.1:{port}/json/version", timeout=60) as answer:
            url: str = json.load(answer)["webSocketDebuggerUrl"]
        yield url


def test_a_chromium(door: Any, browser: str, tmp_path: Path) -> None:
    said: list[Any] = []

    def act(websocket: Any, event: Any) -> None:
        if event.name == "ready":
            websocket.send_json({"id": 1, "method": "Browser.getVersion"})
            discover = {"discover": True}
            websocket.send_json(
                {"id": 2, "method": "Target.setDiscoverTargets", "params": discover}
            )
        elif event.name == "text":
            said.append(event.json)
            if said[-1].get("id") == 2:
                websocket.send_json({"id": 3, "method": "Browser.close"})

    recorded(door, browser, tmp_path / "record.jsonl", act)
    assert "Chrome" in next(one for one in said if one.get("id") == 1)["result"]["product"]
