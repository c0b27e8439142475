"""The plugin of pytest: its two fixtures, how a test fails by them, and what is not seen of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from types import ModuleType
from typing import Any

import pytest

import lomond
from patience import PATIENCE
from pytest_lomond import LomondServer, LomondWorld
from shown import shown

WORLD, SERVER = "lomond_world", "lomond_server"
#: What takes time to load, and nothing here needs.
WITHOUT = ["-p", "no:cacheprovider", "-p", "no:hypothesispytest", "-p", "no:anyio"]


def run(folder: Path, source: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """pytest, in another process, on a file of tests."""
    (folder / "test_it.py").write_text(dedent(source))
    command = [sys.executable, "-m", "pytest", *WITHOUT, *arguments, "test_it.py"]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=PATIENCE
    )


PROGRAM = """
    import pytest
    from lomond import WebSocket
    from lomond.testing import Server

    def program(url="wss://feed.example/", *messages):
        names = []
        websocket = WebSocket(url)
        for event in websocket.connect(poll=None):
            names.append(getattr(event, "text", event.name))
            if event.name == "ready":
                for message in messages:
                    websocket.send_text(message)
            elif event.name == "text":
                websocket.close()
        return names
"""


PAGE = "tasks/testing.md"


@pytest.fixture
def on_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What docs/tasks/testing.md shows of the fixtures, and the program there."""
    program = shown(PAGE, "# login.py")
    (tmp_path / "login.py").write_text(program)
    monkeypatch.chdir(tmp_path)
    login = ModuleType("login")
    exec(program, vars(login))
    monkeypatch.setitem(sys.modules, "login", login)
    known: dict[str, Any] = {}
    exec(shown(PAGE, "lomond_server"), known)
    return known


def test_what_the_page_shows_of_the_world(
    on_page: dict[str, Any], lomond_world: LomondWorld
) -> None:
    on_page["test_login"](lomond_world)


def test_what_the_page_shows_of_the_server(
    on_page: dict[str, Any], lomond_server: LomondServer
) -> None:
    on_page["test_login_over_a_socket"](lomond_server)


def test_a_world(tmp_path: Path) -> None:
    source = PROGRAM + """
    def test_login(lomond_world):
        def talk(peer):
            assert (yield peer.hear()).text == "login"
            yield peer.wait(3600)
            yield peer.say("welcome")
        world = lomond_world(talk, limit=10_000)
        assert "welcome" in program("wss://feed.example/", "login")
        assert round(world.hours) == 1

    def test_time_is_real_again():
        test_login.__name__
        with pytest.raises(AssertionError, match="nobody connected"):
            from lomond.testing import pretend
            with pretend(Server().hears("x")):
                pass
    """  # fmt: skip
    done = run(tmp_path, source)
    assert "2 passed" in done.stdout, done.stdout


def test_a_server(tmp_path: Path) -> None:
    source = PROGRAM + """
    def test_login(lomond_server):
        server = Server().hears("login").says("welcome")
        other = lomond_server(Server().says("other"))
        assert "welcome" in program(lomond_server(server).url, "login")
        assert "other" in program(other.url)
        assert server.heard == ["login"]

    def test_tls(lomond_server):
        server = lomond_server(Server().says("welcome"), tls=True)
        assert program(server.url)[-1] == "connect_fail"
        websocket = WebSocket(server.url, ssl_cafile=server.ca)
        for event in websocket:
            if event.name == "text":
                break
        assert event.text == "welcome"
    """  # fmt: skip
    done = run(tmp_path, source)
    assert "2 passed" in done.stdout, done.stdout


@pytest.mark.parametrize("fixture", [WORLD, SERVER])
def test_what_is_not_right_fails_the_test_itself(tmp_path: Path, fixture: str) -> None:
    source = PROGRAM + f"""
    def talk(peer):
        yield peer.say("welcome")
        yield peer.hear("login")

    def asserts(peer):
        message = yield peer.hear()
        assert message.text == "login"
        yield peer.say("welcome")

    def test_in_vain({fixture}):
        program(getattr({fixture}(talk), "url", "wss://feed.example/"))

    def test_asserted({fixture}):
        program(getattr({fixture}(asserts), "url", "wss://feed.example/"), "logout")

    def test_nobody({fixture}):
        {fixture}(talk)

    def test_both({fixture}):
        {fixture}(talk)
        raise KeyError("of the test")
    """  # fmt: skip
    done = run(tmp_path, source)
    assert "4 failed" in done.stdout, done.stdout
    assert "error" not in done.stdout.splitlines()[-1]
    said = (
        "waits for the text 'login'; the program closed the connection with 1000 instead",
        "assert 'logout' == 'login'",
        "AssertionError: nobody connected to talk (test_it.py:",
        "KeyError: 'of the test'",
    )
    for sentence in said:
        assert sentence in done.stdout
    assert "contextlib.py" not in done.stdout  # nothing of how a block is left
    assert "verdict.py" not in done.stdout
    behind = done.stdout.partition("KeyError: 'of the test'")[2]
    assert "nobody connected to talk" in behind


def test_a_test_that_is_skipped_or_never_called(tmp_path: Path) -> None:
    source = PROGRAM + """
    @pytest.fixture
    def entered(lomond_server):
        lomond_server(Server().hears("x"))

    @pytest.fixture
    def skips(entered):
        pytest.skip("not today")

    def test_never_called(skips):
        pass

    def test_skipped(entered):
        pytest.skip("not today")
    """  # fmt: skip
    done = run(tmp_path, source)
    assert "2 skipped" in done.stdout.splitlines()[-1], done.stdout


NOTHING_OF_LOMOND = """
    import sys

    def test_one():
        assert [name for name in sys.modules if name.partition(".")[0] == "lomond"] == []

    def test_asked_for_and_not_used(lomond_world, lomond_server):
        test_one()
"""


def test_nothing_of_lomond_is_imported_before_a_fixture_is_used(tmp_path: Path) -> None:
    done = run(tmp_path, NOTHING_OF_LOMOND, "-W", "error")
    assert "2 passed" in done.stdout, done.stdout


def test_pytest_does_not_warn_of_lomond_that_was_imported_before_it() -> None:
    """It takes all that is installed with a plugin for plugins, whose asserts it would rewrite."""
    rewriter = pytest.importorskip("_pytest.assertion.rewrite").AssertionRewriter
    assert rewriter.is_rewrite_disabled(lomond.__doc__)


def test_it_can_be_left_out(tmp_path: Path) -> None:
    done = run(tmp_path, NOTHING_OF_LOMOND, "-W", "error", "-p", "no:lomond")
    assert "1 passed, 1 error" in done.stdout, done.stdout
    assert "fixture 'lomond_world' not found" in done.stdout


def test_no_other_name_appears(tmp_path: Path) -> None:
    done = run(tmp_path, NOTHING_OF_LOMOND, "--fixtures", "-v")
    shown = done.stdout.partition("fixtures defined from pytest_lomond")[2].partition("\n---")[0]
    names = [line.split()[0] for line in shown.splitlines()[1:] if line[:1].strip()]
    assert names == [WORLD, SERVER], done.stdout
    for what in ("--help", "--markers"):
        with_it, without = run(tmp_path, "", what), run(tmp_path, "", what, "-p", "no:lomond")
        assert with_it.stdout == without.stdout
