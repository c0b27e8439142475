"""The example that takes a picture of a page, with a real Chromium; Debian has one."""

from __future__ import annotations

import shutil
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from examples.loaded import example
from programs import Program, free_port

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]

NAMES = ("chromium-headless-shell", "chromium", "google-chrome", "chrome")
PAGE = "data:text/html,<body style='background:rgb(1,2,3)'>"


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[str]:
    """Where one listens."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip("there is no Chromium; Debian: apt-get install chromium-headless-shell")
    port = free_port()
    command = [found, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}"]
    command += [f"--remote-debugging-port={port}", "--window-size=300,200"]
    with Program(command, port, tmp_path / "log"):
        yield f"http://127.0.0.1:{port}"


def first_pixel(png: bytes) -> tuple[int, int, tuple[int, ...]]:
    """Width, height, and the colour of the pixel at its top left, which no filter changes."""
    width, height = struct.unpack(">II", png[16:24])
    data, place = b"", 8
    while place < len(png):
        (size,) = struct.unpack(">I", png[place : place + 4])
        if png[place + 4 : place + 8] == b"IDAT":
            data += png[place + 8 : place + 8 + size]
        place += size + 12
    return width, height, tuple(zlib.decompress(data)[1:4])


def test_a_picture(browser: str, tmp_path: Path) -> None:
    file = tmp_path / "page.png"
    example("screenshot").screenshot(PAGE, file, browser)
    png = file.read_bytes()
    assert png.startswith(b"\x89PNG")
    width, height, colour = first_pixel(png)
    assert width > 100 < height
    assert colour == (1, 2, 3)
