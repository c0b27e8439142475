"""Take the steps of a page, as its reader would: `run`."""

from __future__ import annotations

import contextlib
import doctest
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import tomllib
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docs.page import Step, steps_of
from docs.screen import CTRL_C, Screen, difference, is_as_said
from docs.world import Places
from lomond import testing
from lomond.testing import Server
from programs import free_port

#: What a page says for the port of its own server; each run has a free one.
PORT = "8765"
_PATIENCE = 60.0  # seconds, for a command


def run(path: Path, folder: Path) -> int:
    """Run all that a page says, in a folder; the number of blocks that were run.

    Raises:
        AssertionError: Something printed, raised or returned what the page does not say.
        ValueError: The page has a block that nobody knows how to run.
    """
    steps = [step for step in steps_of(path) if not step.why_not]
    before = set(threading.enumerate())
    with Places(folder) as places, contextlib.chdir(folder), Reader(path, places) as reader:
        for step in steps:
            reader.take(step)
    begun = set(threading.enumerate()) - before
    for thread in begun:
        thread.join(_PATIENCE / len(begun))
    left = ", ".join(thread.name for thread in begun if thread.is_alive())
    assert not left, f"{path.name}: its end leaves {left}, as no program of the page should"
    return sum(step.kind in ("python", "pycon", "console", "file") for step in steps)


class Reader:
    """Who types what stands on a page, block by block, with one namespace for all of it.

    Arguments:
        path: The page.
        places: Where its names lead.
    """

    def __init__(self, path: Path, places: Places) -> None:
        self._path = path
        self._port = free_port()
        self._world: Any = None  # of the next block of Python
        self._kept: list[subprocess.Popen[str]] = []
        self._hidden = {
            "Server": Server,
            "serve": places.serve,
            "at_end": places.at_end,
            "lead": places.lead,
            "run": places.run,
            "pass_on": places.pass_on,
            "pretend": self._pretend,
        }
        self._names: dict[str, Any] = {"__name__": "__main__"}

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *raised: Any) -> None:
        for process in self._kept:
            _stop(process)

    def take(self, step: Step) -> None:
        """Do what a block says; raises AssertionError where something else comes of it."""
        what = getattr(self, f"_take_{step.kind}", None)
        if what is not None:
            what(step, step.source.replace(PORT, str(self._port)))

    def _take_before(self, step: Step, source: str) -> None:
        code = compile("\n" * step.line + source, str(self._path), "exec")
        exec(code, {**self._names, **self._hidden, "names": self._names})

    def _take_file(self, step: Step, source: str) -> None:
        file = Path(step.file)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(source, "utf-8")
        if step.output is not None:
            self._check(step, step.output, self._shell(f"python {step.file}", step.output))

    def _take_json(self, step: Step, source: str) -> None:
        for line in source.splitlines() if "}\n{" in source else [source]:
            json.loads(line)

    def _take_toml(self, step: Step, source: str) -> None:
        tomllib.loads(source)

    def _take_pycon(self, step: Step, source: str) -> None:
        test = doctest.DocTestParser().get_doctest(
            source, self._names, self._path.name, str(self._path), step.line
        )
        told: list[str] = []
        runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
        runner.run(test, out=told.append, clear_globs=False)
        self._names.update(test.globs)
        assert not runner.failures, "".join(told)

    def _take_python(self, step: Step, source: str) -> None:
        said = step.output or ""
        code = compile("\n" * step.line + source, str(self._path), "exec")
        screen = Screen(said, self._port, PORT)
        world, self._world = self._world or contextlib.nullcontext(), None
        with world, contextlib.redirect_stdout(screen):
            try:
                exec(code, self._names)
            except KeyboardInterrupt:
                assert CTRL_C in said, "it was interrupted"
            except Exception as error:
                if "Traceback" not in said:
                    raise
                last = "".join(traceback.format_exception_only(error))
                screen.write(f"Traceback (most recent call last):\n  ...\n{last}")
        self._check(step, said, screen.seen())

    def _take_console(self, step: Step, source: str) -> None:
        for command, said in _typed(step.source):
            command = command.replace(PORT, str(self._port))
            if step.is_kept:
                self._keep(step, command, said)
            else:
                self._check(step, said, self._shell(command, said))

    def _shell(self, command: str, said: str) -> str:
        """What a command prints, interrupted where the page has ``^C``."""
        process = _started(command)
        try:
            if CTRL_C in said:
                seen = self._read_until(process, said.partition(CTRL_C)[0])
                os.killpg(process.pid, signal.SIGINT)
                return seen + self._shown(process.communicate(timeout=_PATIENCE)[0])
            return self._shown(process.communicate(timeout=_PATIENCE)[0])
        finally:
            _stop(process)

    def _keep(self, step: Step, command: str, said: str) -> None:
        process = _started(command)
        self._kept.append(process)
        self._check(step, said, self._read_until(process, said))

    def _read_until(self, process: subprocess.Popen[str], said: str) -> str:
        """What it has printed when that was said; or all, where it ended before."""
        assert process.stdout is not None
        seen = ""
        while not is_as_said(said, seen):
            line = process.stdout.readline()
            if not line:
                break
            seen += self._shown(line)
        return seen

    def _shown(self, text: str) -> str:
        return text.replace(str(self._port), PORT)

    def _check(self, step: Step, said: str, seen: str) -> None:
        __tracebackhide__ = True
        assert is_as_said(said, seen), (
            f"{self._path.name}:{step.line} prints something else\n{difference(said, seen)}"
        )

    def _pretend(self, *servers: Any, **given: Any) -> Any:
        """Have the next block of Python run in a pretend world."""
        self._world = testing.pretend(*servers, **given)
        return self._world


def _typed(source: str) -> Iterator[tuple[str, str]]:
    """Each command of a block, and what it prints."""
    for part in re.split(r"^\$ ", source, flags=re.MULTILINE)[1:]:
        command, _, said = re.sub(r"\\\n(> )?", "", part).partition("\n")
        yield command, said


def _started(command: str) -> subprocess.Popen[str]:
    """A process of the shell, with the programs of this environment, and a group of its own."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.Popen(
        ["bash", "-c", command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PATH": path, "PYTHONUNBUFFERED": "1", "NO_COLOR": "1"},
        start_new_session=True,
    )


def _stop(process: subprocess.Popen[str]) -> None:
    """End it and all that it has started."""
    for number in (signal.SIGINT, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        end = time.monotonic() + 5
        while process.poll() is None and time.monotonic() < end:
            time.sleep(0.01)
    if process.stdout is not None:
        process.stdout.close()
    process.wait()
