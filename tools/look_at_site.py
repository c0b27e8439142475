"""Look at the built site in a real browser: whether any page scrolls sideways, and pictures of all.

python tools/look_at_site.py SITE [PICTURES]

SITE is the folder that sphinx-build wrote. Each page is opened at three widths, the narrowest also
in the dark; with PICTURES, that folder gets a PNG of each. Exits with 1 where a page is wider
than its window, and with 77 where there is no Chromium (Debian: chromium-headless-shell).
"""

from __future__ import annotations

import base64
import functools
import http.server
import itertools
import json
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from lomond import WebSocket

NAMES = ("chromium-headless-shell", "chromium", "google-chrome", "chrome")
WIDTHS = {"telephone": 380, "tablet": 820, "desk": 1440}
#: What of a page sticks out of its window, and isn't within something that scrolls by itself.
_STICKS_OUT = """(() => {
  const wide = document.documentElement.scrollWidth - window.innerWidth;
  if (wide <= 0) return "";
  const out = [...document.querySelectorAll("main *")].filter(
    (one) => one.getBoundingClientRect().right > window.innerWidth + 1);
  return wide + " px: " + out.slice(0, 3).map((one) => one.outerHTML.slice(0, 80)).join(" | ");
})()"""


@contextmanager
def browser() -> Iterator[str]:
    """A Chromium; where its DevTools listen. Raises FileNotFoundError without one."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        raise FileNotFoundError("there is no Chromium; Debian: apt-get install chromium")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        command = [
            found,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--remote-debugging-port=0",
        ]
        command += [
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
        ]
        command += ["--disable-sync", "--disable-quic", "--hide-scrollbars"]
        process = subprocess.Popen(
            [*command, f"--user-data-dir={folder}"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            told = Path(folder, "DevToolsActivePort")
            end = time.monotonic() + 60
            while not (told.exists() and told.read_text().count("\n")):
                if process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError("Chromium did not start")
                time.sleep(0.05)
            yield f"http://127.0.0.1:{told.read_text().splitlines()[0]}"
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()


@contextmanager
def served(site: Path) -> Iterator[str]:
    """The site, by HTTP; its address."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *said: Any) -> None:
            """Nothing."""

    handler = functools.partial(Handler, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


class Tab:
    """A tab of the browser, of which one asks over lomond; a context manager.

    Arguments:
        place: Where the browser's DevTools listen.
    """

    def __init__(self, place: str) -> None:
        tab = urllib.request.Request(f"{place}/json/new", method="PUT")
        with urllib.request.urlopen(tab, timeout=30) as answer:
            url = json.load(answer)["webSocketDebuggerUrl"]
        self._numbers = itertools.count(1)
        self._websocket = WebSocket(url, max_message_size=2**28)
        self._events = self._websocket.connect(poll=None)

    def __enter__(self) -> Tab:
        next(event for event in self._events if event.name == "ready")
        self.ask("Page.enable")
        return self

    def __exit__(self, *raised: Any) -> None:
        self._events.close()

    def ask(self, method: str, **params: Any) -> Any:
        """What the browser answers. Raises RuntimeError where it can't do that."""
        number = next(self._numbers)
        self._websocket.send_json({"id": number, "method": method, "params": params})
        answer = self._wait(lambda said: said.get("id") == number)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def show(self, url: str, width: int, scheme: str) -> None:
        """Open a page in a window of so many pixels, with that colour scheme."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.ask("Emulation.setEmulatedMedia", features=features)
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
        self.ask("Emulation.setDeviceMetricsOverride", **size)
        number = next(self._numbers)
        order = {"id": number, "method": "Page.navigate", "params": {"url": url}}
        self._websocket.send_json(order)
        self._wait(lambda said: said.get("method") == "Page.loadEventFired")

    def value(self, expression: str) -> Any:
        """What an expression of JavaScript is in the page."""
        return self.ask("Runtime.evaluate", expression=expression)["result"].get("value")

    def picture(self) -> bytes:
        """A PNG of the whole page."""
        shot = self.ask("Page.captureScreenshot", captureBeyondViewport=True)
        return base64.b64decode(shot["data"])

    def _wait(self, is_it: Any) -> Any:
        for event in self._events:
            if event.name == "text" and is_it(event.json):
                return event.json
        raise RuntimeError(f"the browser is gone: {self._websocket.ending}")


def look(site: Path, pictures: Path | None) -> list[str]:
    """What sticks out of which page, at which width."""
    found: list[str] = []
    with browser() as place, served(site) as address, Tab(place) as tab:
        for page in sorted(site.rglob("*.html")):
            name = str(page.relative_to(site))
            for (window, width), scheme in [
                *itertools.product(WIDTHS.items(), ["light"]),
                (("telephone", WIDTHS["telephone"]), "dark"),
            ]:
                tab.show(f"{address}/{name}", width, scheme)
                out = tab.value(_STICKS_OUT)
                if out:
                    found.append(f"{name} at {width} px: {out}")
                if pictures is not None:
                    file = (
                        pictures / window / scheme / name.replace("/", "-").replace(".html", ".png")
                    )
                    file.parent.mkdir(parents=True, exist_ok=True)
                    file.write_bytes(tab.picture())
    return found


def main() -> int:
    """Do what the command line says; the exit status."""
    site = Path(sys.argv[1])
    try:
        found = look(site, Path(sys.argv[2]) if sys.argv[2:] else None)
    except FileNotFoundError as error:
        print(f"nothing was looked at: {error}")
        return 77
    print("\n".join(found) or "no page scrolls sideways")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
