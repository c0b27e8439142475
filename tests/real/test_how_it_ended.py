"""What is told of ends that real servers and proxies bring about; how_it_ended.txt has it.

`python tests/real/test_how_it_ended.py` writes that file anew: read it aloud before it is kept.
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

import pytest

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    import proxies  # noqa: F401  # it clears the variables

from lomond import WebSocket
from real import ending_servers as servers
from real.certificates import Certificates, make_certificates
from real.ending_runs import Run
from real.endings import CASES
from real.launches import ServerUnavailableError
from real.server_processes import ServerPool
from told import by_name, golden, ours

GOLDEN = Path(__file__).parent / "how_it_ended.txt"

#: Those that may hang up before the request is written, which is told then.
MAY_BE_SOONER = {"stunnel: the server behind it is not there"}
WRITING = re.compile(r"request failed; | \(upgrade request to [^)]*\)")


def _golden() -> dict[str, str]:
    return by_name(GOLDEN.read_text())


@pytest.mark.parametrize("name", CASES)
def test_what_is_told(name: str, server_pool: ServerPool, certificates: Certificates) -> None:
    try:
        shown = Run(CASES[name], server_pool, certificates).told()
    except ServerUnavailableError as reason:
        pytest.skip(str(reason))
    if name in MAY_BE_SOONER:
        shown = WRITING.sub("", shown)
    assert ours(shown) == ours(_golden()[name])


def test_persist_backs_off_from_a_server_that_accepts_and_then_closes(
    server_pool: ServerPool,
) -> None:
    port = server_pool.port_of(servers.WEBSOCKETS, None)
    websocket = WebSocket(f"ws://127.0.0.1:{port}/token", proxies={})
    events = websocket.persist(min_wait=0, max_wait=0, max_attempts=3)
    waits = [event for event in events if event.name == "back_off"]
    assert [wait.attempt for wait in waits] == [1, 2]  # on which the wait depends
    for wait in waits:
        assert "the server closed the connection with 1008 'bad token' after" in str(wait.ending)


def test_the_file_has_no_other() -> None:
    assert list(_golden()) == list(CASES)


def _written() -> dict[str, str]:
    """What is told of each; of those that can't be had here, what the file had before."""
    texts = _golden() if GOLDEN.exists() else {}
    with tempfile.TemporaryDirectory() as folder, ServerPool(Path(folder)) as pool:
        certificates = make_certificates(Path(folder))
        for name, case in CASES.items():
            try:
                texts[name] = Run(case, pool, certificates).told()
            except ServerUnavailableError as reason:
                print(f"{name}: {reason}")
    return {name: texts[name] for name in CASES if name in texts}


if __name__ == "__main__":
    GOLDEN.write_text(golden(_written()))
