"""A program that PyInstaller has frozen: it runs compiled through all doors, without an option."""

from __future__ import annotations

import os
import ssl
import subprocess
import sys
from pathlib import Path

import pytest
import trustme

from doors.raw_server import echo, raw_server
from lomond import twin

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

PATIENCE = 600.0  # seconds; of a build
PROGRAM = """
import asyncio, sys
from lomond import WebSocket, twin
from lomond.aio import AsyncWebSocket
from lomond.group import WebSocketGroup
from lomond.persist import persist

def act(websocket, event):
    if event.name == "ready":
        return websocket.send_text("hello" * 50)
    if event.name == "text":
        return websocket.close()

def by_sync(websocket):
    for event in websocket:
        yield event.name
        act(websocket, event)

def by_persist(websocket):
    for event in persist(websocket):
        yield event.name
        if event.name == "back_off":
            return
        act(websocket, event)

def by_group(websocket):
    group = WebSocketGroup()
    group.add(websocket, poll=5)
    for _, event in group:
        yield event.name
        act(websocket, event)

async def by_asyncio(websocket):
    seen = []
    async with websocket:
        async for event in websocket:
            seen.append(event.name)
            sent = act(websocket, event)
            if sent is not None:
                await sent
    return seen

print(twin.running)
for url in sys.argv[2:]:
    options = {"ssl_cafile": sys.argv[1], "compress": True}
    for way in by_sync, by_persist, by_group:
        print(way.__name__, *way(WebSocket(url, **options)))
    print("by_asyncio", *asyncio.run(by_asyncio(AsyncWebSocket(url, **options))))
"""
EVENTS = "connecting connected ready poll text closed disconnected"


@pytest.fixture(scope="module", params=["--onedir", "--onefile"])
def program(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Frozen."""
    pytest.importorskip("PyInstaller", reason="PyInstaller is not installed")
    folder = tmp_path_factory.mktemp("frozen")
    (folder / "program.py").write_text(PROGRAM)
    subprocess.run(
        [sys.executable, "-m", "PyInstaller", request.param, "--noconfirm", "program.py"],
        cwd=folder,
        check=True,
        timeout=PATIENCE,
    )
    built = folder / "dist" / "program"
    return built / "program" if built.is_dir() else built


def run(program: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run it where nothing of ours is."""
    chosen = {"PATH": os.defpath, "HOME": os.sep, **variables}
    return subprocess.run(
        [str(program), *arguments],
        env=chosen,
        cwd=os.sep,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_all_doors_and_tls(program: Path, tmp_path: Path) -> None:
    authority = trustme.CA()
    trusted = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(trusted))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with raw_server(echo) as plain, raw_server(echo, context=context) as secure:
        done = run(program, str(trusted), plain.url, secure.url)
    assert (done.returncode, done.stderr) == (0, "")
    first, *ways = done.stdout.splitlines()
    assert first == twin.running
    names = ["by_sync", "by_persist", "by_group", "by_asyncio"]
    assert ways == 2 * [
        f"{name} {EVENTS}" + (" back_off" if name == "by_persist" else "") for name in names
    ]


def test_it_has_no_sources_and_says_so(program: Path) -> None:
    done = run(program, "", LOMOND_PURE="1")
    if twin.running == "pure":
        assert (done.returncode, done.stdout) == (0, "pure\n")
    else:
        assert done.returncode == 1
        assert "LOMOND_PURE is set, but this program has no sources of lomond" in done.stderr
