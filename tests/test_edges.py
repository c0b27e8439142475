"""Values that are nearly right: URLs and seconds at their edges."""

from __future__ import annotations

import math
import subprocess
import sys

import pytest

from lomond.options import Limits, Timing
from lomond.url import parse


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("ws://u:a b@h/", "has white space before its path"),
        ("ws://u:a\u00a0b@h/", "has white space before its path"),
        ("ws://u:a\tb@h/", r"holds '\\t'"),
        ("ws://u:a b@h:x/", "white space"),
        ("ws://u:a b@h/#f", "fragment"),
        ("ftp://u:a b@h/", "no scheme"),
        ("ws://h/\ud800", "remove it"),
        ("ws://h/?\udfff", "remove it"),
        ("ws://\ud800/", "remove it"),
        ("ws://h:\u0661/", "number from 1 to 65535"),
        ("ws://h:\u00b2/", "number from 1 to 65535"),
        ("ws://h:8_0/", "number from 1 to 65535"),
        ("ws://h:80:90/", "number from 1 to 65535"),
        ("ws://h:65536/", "number from 1 to 65535"),
        ("ws://h:" + "9" * 5000 + "/", "number from 1 to 65535"),
        ("ws://h\x00/", "remove it"),
        ("ws://h/\x7f", "remove it"),
        ("ws://h/\n", "remove it"),
        ("ws://.h/", "no host name"),
        ("ws://h..x/", "no host name"),
        ("ws://" + "a" * 64 + "/", "no host name"),
        ("ws://@/", "no host"),
        ("ws://:80/", "no host"),
        ("ws://h]/", "no host name"),
        ("ws:h", "no host"),
        ("//h/x", "no scheme"),
    ],
)
def test_a_url_is_refused_without_its_password(url: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        parse(url)
    assert type(caught.value) is ValueError
    assert "u:a" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("ws://h:65535", ("h", 65535, "/")),
        ("ws://h:1", ("h", 1, "/")),
        ("ws://h:00080/", ("h", 80, "/")),
        ("ws://u:p%20q@h/x y", ("h", 80, "/x%20y")),
        ("ws://u:p%2Fss@h/", ("h", 80, "/")),
        ("ws://h/%zz?a=%&b=?", ("h", 80, "/%zz?a=%&b=?")),
        ("ws://h/a//b/../c", ("h", 80, "/a//b/../c")),
        ("ws://h//x", ("h", 80, "//x")),
        ("ws://h?a/b@c:d", ("h", 80, "/?a/b@c:d")),
        ("ws://h/%23", ("h", 80, "/%23")),
    ],
)
def test_what_is_kept_of_a_url(url: str, expected: tuple[str, int, str]) -> None:
    parts = parse(url)
    assert (parts.host, parts.port, parts.resource) == expected


def test_seconds_that_no_clock_can_count() -> None:
    for value in (10**400, math.inf, -math.inf, math.nan, -1, -0.001):
        with pytest.raises(ValueError, match="poll must be 0 or more"):
            Timing(poll=value)
    assert Timing(poll=0, ping_rate=0, close_timeout=0, frame_timeout=0).poll == 0
    assert Timing(poll=sys.float_info.max).poll == sys.float_info.max


def test_options_do_not_change() -> None:
    with pytest.raises(AttributeError):
        Limits().max_held = 1  # type: ignore[misc]  # frozen, on purpose
    with pytest.raises(AttributeError):
        Timing().poll = 1  # type: ignore[misc]  # frozen, on purpose


@pytest.mark.parametrize("sign", ["/", "?", "#", "\\", " ", "@", "\n"])
def test_a_password_is_not_shown_whatever_is_in_it(sign: str) -> None:
    url = f"ws://me:sec{sign}ret@h:x/feed"
    with pytest.raises(ValueError, match="URL") as caught:
        parse(url)
    shown = str(caught.value)
    assert "sec" not in shown.replace("seconds", "")
    assert "ret@" not in shown


def test_importing_lomond_imports_nothing_that_only_a_connection_needs() -> None:
    code = "import sys, lomond; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    for name in ("asyncio", "dataclasses", "h11", "json", "logging", "socket", "ssl", "urllib"):
        assert name not in loaded
    code = "import sys, lomond; print(lomond.events.Text, 'lomond.persist' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "Text" in done.stdout
    assert "False" in done.stdout
    code = "import lomond; lomond.unheard_of"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "module 'lomond' has no attribute 'unheard_of'" in done.stderr


def test_a_plain_connection_needs_no_tls() -> None:
    code = "import sys, lomond; list(lomond.WebSocket('ws://127.0.0.1:1')); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "ssl" not in done.stdout.split()
