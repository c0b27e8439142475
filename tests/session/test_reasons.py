"""Why there is no connection, in words."""

from __future__ import annotations

import pytest

from lomond.options import Timing
from lomond.proxies import Proxy, parse_proxy
from lomond.session.requests import Race, Resolve
from lomond.testing.pretend import PretendDoor
from played import HTTP_PROXY, WITH_PASSWORD, failure_of, pauses, says


@pytest.mark.parametrize("kind", [Resolve, Race])
def test_a_proxy_that_is_not_there(kind: type) -> None:
    door = PretendDoor(says(), proxy=WITH_PASSWORD, failures={kind: OSError("no way")})
    failed = failure_of(door)
    if kind is Resolve:
        assert failed.reason == (
            "unable to resolve host name 'proxy' (of proxy http://***@proxy:3128); no way"
        )
    else:
        assert failed.reason == "unable to connect to proxy http://***@proxy:3128; no way"
    assert failed.address == "proxy:3128"


@pytest.mark.parametrize("proxy", [HTTP_PROXY, parse_proxy("socks5h://proxy:3128")])
def test_a_proxy_that_hangs(proxy: Proxy) -> None:
    door = PretendDoor(says(then=pauses()), Timing(open_timeout=7), proxy=proxy)
    failed = failure_of(door)
    assert (failed.phase, door.now) == ("proxy", 7)
    assert failed.reason.endswith(
        "did not connect us to peer:80; not done within open_timeout (7 s)"
    )
