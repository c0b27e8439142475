"""The lomond command: finds who does what is asked for, and gives the exit status."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NoReturn

#: Command -> the module that does it; each has a `run` that is given the arguments behind its name.
COMMANDS = {
    "ping": "ping",
    "bench": "bench",
    "serve": "serve",
    "replay": "replaying",
    "doctor": "doctor",
    "demo": "demo",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; its exit status, of which exits.py has the meanings."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["help"]:
        given = [*given[1:2], "--help"]
    name = given[0] if given else ""
    if name in COMMANDS:
        module = import_module(f".{COMMANDS[name]}", __name__)
        given = given[1:]
    else:
        module = import_module(".connecting", __name__)
    before = _heed_termination()
    try:
        try:
            status: int = module.run(given)
        finally:  # also behind --help
            if sys.stdout is not None:
                sys.stdout.flush()
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        _give_up_output()
        return 0
    except OSError as error:
        return _unwritten(error)
    finally:
        if before is not None:
            signal.signal(signal.SIGTERM, before)
    return status


def _heed_termination() -> Any:
    """Have SIGTERM end what does not see to it itself; what was done before, None if nothing is."""
    if threading.current_thread() is not threading.main_thread():
        return None  # others may not ask for signals
    return signal.signal(signal.SIGTERM, _terminate)


def _terminate(number: int, frame: object) -> NoReturn:
    from . import exits

    sys.exit(exits.TERMINATED)


def _unwritten(error: OSError) -> int:
    """Say that what was to be written can't be, as where a disk is full; the exit status."""
    from . import exits

    _give_up_output()
    if sys.stderr is not None:
        print(f"lomond: {error.strerror or error}; nothing more is written", file=sys.stderr)
    return exits.OUTPUT


def _give_up_output() -> None:
    """Keep the interpreter from writing again what could not be written."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
