"""The line editor in a terminal, by prompt_toolkit, which the extra "cli" has.

It has a thread with an event loop of its own. That thread alone writes while it runs, so that what
comes appears above the line that is being typed.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import SimpleQueue

from prompt_toolkit import PromptSession
from prompt_toolkit.application import run_in_terminal
from prompt_toolkit.filters import is_searching
from prompt_toolkit.formatted_text import ANSI
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.output import create_output
from prompt_toolkit.output.vt100 import Vt100_Output

from .colouring import painted
from .interrupts import Interrupts
from .plain import encoded, writer

PROMPT = "> "
_MOST = 2**20  # characters that may wait to be shown, beside the last text
_LOOK = 0.05  # seconds between two looks at whether it is over
_PATIENCE = 2.0  # seconds for the editor's thread to end, of which a terminal may keep it
_LONGEST = 10_000  # characters of a text that is kept


class LineEditor:
    """Gives the lines that are typed, and shows what comes above the one that is being typed.

    Arguments:
        has_colours: Whether the prompt is in colours.
    """

    has_keys = True

    def __init__(self, has_colours: bool) -> None:
        output = create_output(stdout=sys.stdout)
        if isinstance(output, Vt100_Output):
            # Asked where its cursor is, a terminal answers on standard input; nothing needs that.
            output.enable_cpr = False
        self._output = output
        self._write = writer(None)
        self._typed: SimpleQueue[str | None] = SimpleQueue()
        self._has_colours = has_colours
        # By a thread that a signal may interrupt in here, to say something.
        self._lock = threading.RLock()
        self._waiting: list[str] = []  # to be shown
        self._size = 0  # characters of it
        self._has_room = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None  # while it alone may write
        self._thread: threading.Thread | None = None
        self._session: PromptSession[str] | None = None
        self._is_ending = False
        self._failure: Exception | None = None
        self._restore = _restoring()

    def lines(self, interrupts: Interrupts) -> Iterator[str]:
        """What is typed, a message each, until Ctrl-D.

        Raises:
            RuntimeError: The editor failed.
        """
        self._write = writer(interrupts)
        with self._lock:  # it may be over already, or be so while the thread begins
            if self._is_ending:
                return
            # A daemon: a terminal that takes no more can't be waited for.
            self._thread = threading.Thread(target=self._run, args=(interrupts,), daemon=True)
            self._thread.start()
        while (line := self._typed.get()) is not None:
            yield line
        if self._failure is not None:
            raise RuntimeError(f"the line editor failed: {self._failure!r}")

    def show(self, text: str) -> None:
        """Show lines: above the one that is being typed."""
        with self._lock:
            loop = self._loop
            if loop is None:
                self._write(encoded(text))
                return
            self._waiting.append(text)
            self._size += len(text) + 1
            if len(self._waiting) == 1:
                loop.call_soon_threadsafe(self._flush)

    def keep_up(self, is_over: threading.Event) -> None:
        """Wait until most of what is to be shown has been; or until it is over."""
        while self._size > _MOST and not is_over.is_set():
            self._has_room.clear()
            if self._size > _MOST:
                self._has_room.wait(_LOOK)

    def end(self) -> None:
        """End the editor; what was typed and not sent stays on the screen, but for Ctrl-C."""
        with self._lock:
            self._is_ending = True
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._leave)
        if self._thread is None:
            return
        self._thread.join(_PATIENCE)
        if self._thread.is_alive():
            self._restore()

    # In the editor's thread

    def _run(self, interrupts: Interrupts) -> None:
        try:
            asyncio.run(self._edit(interrupts))
        except Exception as error:
            self._failure = error
        finally:
            self._typed.put(None)

    async def _edit(self, interrupts: Interrupts) -> None:
        message = ANSI(painted("mark", PROMPT, self._has_colours))
        session = self._session = PromptSession[str](
            message,
            multiline=True,
            prompt_continuation=" " * len(PROMPT),
            key_bindings=_bindings(interrupts),
            history=history(),
            output=self._output,
        )
        with self._lock:
            self._loop = asyncio.get_running_loop()
        try:
            # All the time, or what is typed between two lines would be echoed.
            with session.input.raw_mode():
                await self._read(session)
        except EOFError:
            pass
        finally:
            with self._lock:
                self._flush()
                self._loop = None

    async def _read(self, session: PromptSession[str]) -> None:
        while not self._is_ending:
            typed = await session.prompt_async(
                pre_run=self._leave_if_ending, set_exception_handler=False, handle_sigint=False
            )
            self._typed.put(typed)

    def _flush(self) -> None:
        """Write what waits, between erasing the line that is being typed and drawing it anew."""
        with self._lock:
            text = "".join(f"{one}\n" for one in self._waiting)
            self._waiting.clear()
            self._size -= len(text)
        app = None if self._session is None else self._session.app
        if app is not None and app.is_running:
            app.renderer.erase()
            app.invalidate()
        self._output.write_raw(text)
        self._output.flush()
        self._has_room.set()

    def _leave_if_ending(self) -> None:
        if self._is_ending:
            self._leave()

    def _leave(self) -> None:
        app = None if self._session is None else self._session.app
        if app is not None and app.is_running and not app.is_done:
            app.erase_when_done = not app.current_buffer.text
            app.exit(exception=EOFError)


def _bindings(interrupts: Interrupts) -> KeyBindings:
    bindings = KeyBindings()

    @bindings.add("enter", filter=~is_searching)
    def _(event: KeyPressEvent) -> None:
        if event.current_buffer.text:
            event.current_buffer.validate_and_handle()

    @bindings.add("escape", "enter", filter=~is_searching)
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.newline(copy_margin=False)

    @bindings.add("c-c", filter=~is_searching)
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.reset()  # given up: nothing of it stays on the screen
        interrupts.interrupt()

    @bindings.add("c-d", filter=~is_searching)
    def _(event: KeyPressEvent) -> None:
        if event.current_buffer.text:
            event.current_buffer.delete()
        elif not event.app.is_done:
            event.app.erase_when_done = True
            event.app.exit(exception=EOFError)

    @bindings.add("c-z", filter=~is_searching)
    def _(event: KeyPressEvent) -> None:
        if sys.platform != "win32":
            run_in_terminal(_stop)

    return bindings


def _stop() -> None:
    """Stop this process until the shell continues it: by a signal to this very thread.

    It has stopped when that returns. Were another one told, this one would take the terminal back
    before that.
    """
    signal.pthread_kill(threading.get_ident(), signal.SIGTSTP)


# What is kept


class Kept(FileHistory):
    """Keeps what was typed in a file; not what begins with a space, nor what is very long."""

    def append_string(self, string: str) -> None:
        """Keep it."""
        if not string.startswith(" ") and len(string) <= _LONGEST:
            super().append_string(string)

    def store_string(self, string: str) -> None:
        """Write it; a disk that is full keeps nobody from going on."""
        with contextlib.suppress(OSError):
            super().store_string(string)


def history() -> History:
    """The history, in a file that its owner alone may read; where there can't be one, in memory."""
    path = state_directory() / "history"
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Made before anything is in it; one that was made otherwise is closed to others now.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600))
        path.chmod(0o600)
    except OSError:
        return InMemoryHistory()
    return Kept(path)


def state_directory() -> Path:
    """Where the user's programs keep what they remember: see the XDG Base Directory rules."""
    given = os.environ.get("XDG_STATE_HOME", "")
    if os.path.isabs(given):  # which they ask for
        return Path(given) / "lomond"
    if sys.platform == "win32" and (local := os.environ.get("LOCALAPPDATA")):
        return Path(local) / "lomond"
    return Path(os.path.expanduser("~/.local/state")) / "lomond"


def _restoring() -> Callable[[], object]:
    """What puts the terminal's modes back as they are now, for when the editor can't."""
    try:
        import termios
    except ImportError:
        return lambda: None
    modes = termios.tcgetattr(sys.stdin)
    return lambda: termios.tcsetattr(sys.stdin, termios.TCSANOW, modes)
