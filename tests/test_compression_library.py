"""Which library compresses, and how it is told that it can't be had."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lomond import WebSocket, compression
from lomond.compression import Compression, chosen_backend
from lomond.options import Deflate
from lomond.protocol.extensions.permessage_deflate import PerMessageDeflate


@pytest.fixture(autouse=True)
def nothing_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compression, "chosen", None)
    monkeypatch.delenv("LOMOND_DEFLATE", raising=False)


def python(*arguments: str, path: Path | None = None, **variables: str) -> tuple[int, str, str]:
    """Exit status, output and errors of a process of its own."""
    environ = {**os.environ, **variables}
    if path is not None:
        environ["PYTHONPATH"] = str(path)
    done = subprocess.run(
        [sys.executable, *arguments], env=environ, capture_output=True, text=True, timeout=60
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A folder with a zlib_ng that fails by something else than ImportError."""
    (tmp_path / "zlib_ng").mkdir()
    (tmp_path / "zlib_ng" / "__init__.py").write_text("raise RuntimeError('wrong ABI')")
    return tmp_path


@pytest.mark.parametrize("name", ["zlib", "zlib-ng"])
def test_the_variable_chooses(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    if name == "zlib-ng":
        pytest.importorskip("zlib_ng")
    monkeypatch.setenv("LOMOND_DEFLATE", name)
    assert chosen_backend().name == name
    assert PerMessageDeflate(Compression(), Deflate()).backend.name == name


def test_the_choice_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOMOND_DEFLATE", "zlib")
    first = chosen_backend()
    monkeypatch.setenv("LOMOND_DEFLATE", "isal")
    assert chosen_backend() is first
    WebSocket("ws://h/", compress=True)


def test_a_choice_that_failed_may_be_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOMOND_DEFLATE", "isal")
    with pytest.raises(ValueError, match="LOMOND_DEFLATE"):
        chosen_backend()
    monkeypatch.setenv("LOMOND_DEFLATE", "")
    assert chosen_backend().name in ("zlib", "zlib-ng")


def test_a_name_that_no_library_has_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOMOND_DEFLATE", "isal")
    why = "LOMOND_DEFLATE is 'isal'; set it to zlib-ng or zlib, or not at all"
    for compress in (True, Deflate()):
        with pytest.raises(ValueError, match=why):
            WebSocket("ws://h/", compress=compress)
    websocket = WebSocket("ws://h/", compress=False)
    with pytest.raises(ValueError, match=why):
        websocket.compress = True
    assert websocket.compress is False


def test_a_library_that_is_missing_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "zlib_ng", None)
    monkeypatch.setitem(sys.modules, "zlib_ng.zlib_ng", None)
    monkeypatch.setenv("LOMOND_DEFLATE", "zlib-ng")
    with pytest.raises(ImportError, match=r"LOMOND_DEFLATE.*pip install 'lomond\[speed\]'"):
        WebSocket("ws://h/", compress=True)
    WebSocket("ws://h/")
    monkeypatch.delenv("LOMOND_DEFLATE")
    assert chosen_backend().name == "zlib"


def test_a_python_without_either(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("zlib", "zlib_ng", "zlib_ng.zlib_ng"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=r"compress.*pip install 'lomond\[speed\]'"):
        WebSocket("ws://h/", compress=True)


def test_one_that_is_broken_is_passed_over_unless_it_was_named(broken: Path) -> None:
    status, output, errors = python("-m", "lomond", "--version", path=broken)
    assert (status, errors) == (0, "")
    assert output.endswith(", zlib)\n")
    status, output, errors = python(
        "-m", "lomond", "--version", path=broken, LOMOND_DEFLATE="zlib-ng"
    )
    assert (status, output) == (2, "")
    assert errors.startswith("lomond: LOMOND_DEFLATE is 'zlib-ng', which can't be imported")
    assert "wrong ABI" in errors
    assert errors.count("\n") == 1


@pytest.mark.parametrize(
    "arguments", [["--version"], ["--compress", "ws://127.0.0.1:1/"]], ids=["version", "compress"]
)
def test_the_command_says_in_one_line_what_is_wrong(arguments: list[str]) -> None:
    status, output, errors = python("-m", "lomond", *arguments, LOMOND_DEFLATE="isal")
    assert (status, output) == (2, "")
    assert errors == "lomond: LOMOND_DEFLATE is 'isal'; set it to zlib-ng or zlib, or not at all\n"


def test_the_command_needs_no_library_for_its_help() -> None:
    status, output, errors = python("-m", "lomond", "--help", LOMOND_DEFLATE="isal")
    assert (status, errors) == (0, "")
    assert output.startswith("usage: lomond")
    assert python("-m", "lomond", "demo", LOMOND_DEFLATE="isal")[0] == 0


def test_no_library_is_loaded_before_compression_is_asked_for() -> None:
    code = """
import sys
before = set(sys.modules)
from lomond import WebSocket
WebSocket("ws://h/").connect()
loaded = set(sys.modules) - before
assert not {"zlib", "zlib_ng"} & loaded, loaded
WebSocket("ws://h/", compress=True)
loaded = set(sys.modules) - before
assert {"zlib", "zlib_ng"} & set(sys.modules)
"""
    assert python("-c", code) == (0, "", "")


def test_what_was_negotiated_is_copied_and_pickled_with_its_counts() -> None:
    agreed = Compression(True, False, 12, 9, "zlib")
    agreed.sent_raw, agreed.sent_compressed = 1 << 40, 3
    agreed.received_raw, agreed.received_compressed = 1 << 41, 5
    for again in (copy.copy(agreed), copy.deepcopy(agreed), pickle.loads(pickle.dumps(agreed))):
        assert again is not agreed
        assert again == agreed
        assert repr(again) == repr(agreed)
        again.received_raw += 1
        assert again != agreed
    assert repr(agreed) == (
        "Compression(backend='zlib', client_max_window_bits=9, client_no_context_takeover=False, "
        "received_compressed=5, received_raw=2199023255552, sent_compressed=3, "
        "sent_raw=1099511627776, server_max_window_bits=12, server_no_context_takeover=True)"
    )


def test_what_was_negotiated_has_no_hash_and_no_further_attributes() -> None:
    agreed: Any = Compression()
    assert agreed.__eq__(1) is NotImplemented
    with pytest.raises(TypeError):
        hash(agreed)
    with pytest.raises(AttributeError):
        agreed.anything = 1
