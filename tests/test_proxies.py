"""Which proxy a connection takes."""

from __future__ import annotations

import pickle
import sys
import time
import urllib.request

import pytest

from lomond.proxies import Proxy, chosen, from_environment, is_bypassed, parse_proxy

SECRETS = ("hunter2", "h%75nter2", "mallory")


@pytest.mark.parametrize(
    ("url", "proxy"),
    [
        ("http://proxy", Proxy("http", "proxy", 80)),
        ("HTTP://Proxy.Example:3128/", Proxy("http", "proxy.example", 3128)),
        ("https://proxy", Proxy("https", "proxy", 443)),
        ("socks4://proxy", Proxy("socks4", "proxy", 1080)),
        ("socks4a://me@proxy", Proxy("socks4a", "proxy", 1080, "me")),
        ("socks5://a:b:c@proxy", Proxy("socks5", "proxy", 1080, "a", "b:c")),
        ("socks5://a%3Ab:c@proxy", Proxy("socks5", "proxy", 1080, "a:b", "c")),
        ("Socks5h://proxy:9", Proxy("socks5h", "proxy", 9)),
        ("proxy:3128", Proxy("http", "proxy", 3128)),
        ("proxy", Proxy("http", "proxy", 80)),
        ("127.0.0.1:8080", Proxy("http", "127.0.0.1", 8080)),
        ("me:pw@proxy:3128", Proxy("http", "proxy", 3128, "me", "pw")),
        ("http://me:p%40ss@proxy:1", Proxy("http", "proxy", 1, "me", "p@ss")),
        ("http://me:p@ss@proxy:1", Proxy("http", "proxy", 1, "me", "p@ss")),
        ("http://me:%2F%3f%23%20%5C@proxy", Proxy("http", "proxy", 80, "me", "/?# \\")),
        ("http://%C3%A9:é@proxy", Proxy("http", "proxy", 80, "é", "é")),
        ("http://me:100%@proxy", Proxy("http", "proxy", 80, "me", "100%")),
        ("http://me:@proxy", Proxy("http", "proxy", 80, "me", "")),
        ("http://:pw@proxy", Proxy("http", "proxy", 80, "", "pw")),
        ("http://@proxy", Proxy("http", "proxy", 80)),
        ("[::1]:3128", Proxy("http", "::1", 3128)),
        ("http://me:pw@[FE80::1%25eth0]:1", Proxy("http", "fe80::1%eth0", 1, "me", "pw")),
        ("http://faß.example", Proxy("http", "xn--fa-hia.example", 80)),
    ],
)
def test_proxies(url: str, proxy: Proxy) -> None:
    assert parse_proxy(url) == proxy


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("", "proxy 'http://' has no host; write it like 'http://proxy.example:3128'"),
        ("http://", "no host"),
        ("socks5://mallory:hunter2@", "'socks5://proxy.example:1080'"),
        ("http:///x", "after host and port"),
        ("//proxy", "after host and port"),
        ("http:/mallory:hunter2@proxy", "must be quoted"),
        (
            "ftp://mallory:hunter2@proxy",
            r"//\*\*\*@proxy' has a scheme that is not known; .*h$",
        ),
        ("socks://proxy", "not known; those known are http, https, socks4, socks4a, socks5, "),
        ("http://proxy:0", "number from 1 to 65535"),
        ("http://proxy:65536", "number from 1 to 65535"),
        ("http://proxy:x", "number from 1 to 65535"),
        ("http://mallory:hunter2@proxy:x", r"'http://\*\*\*@proxy:x' has a bad port"),
        ("proxy:3128:9", "number from 1 to 65535"),
        ("http://proxy?query", "after host and port"),
        ("http://proxy/#", "after host and port"),
        ("http://mallory:hunter2/@proxy", "must be quoted"),
        ("http://mallory:hunter2#@proxy", "must be quoted"),
        ("http://mallory:?hunter2@proxy", "must be quoted"),
        ("http://do\\mallory:hunter2@proxy", "'%5C'"),
        ("http://mallory:hunter2 @proxy", "'%20'"),
        ("http://mallory:hunter2\r\n@proxy", "must be quoted"),
        ("http://mallory:hunter2\ud800@proxy", "must be quoted"),
        ("http://mallory:hunter2%0D%0AX:y@proxy", "control character"),
        ("http://mallory%00:hunter2@proxy", "control character"),
        (f"socks5://mallory:{'hunter2' * 40}@proxy", "more than 255 bytes"),
        ("http://mallory:hunter2%ff@proxy", "no UTF-8"),
        ("http://mallory%3Ax:hunter2@proxy", "':' in its user name"),
        ("http://mallory:hunter2@proxy\n", r"holds '\\n'; remove it"),
        (" http://mallory:hunter2@proxy", "must be quoted"),
        ("http://pro xy", "holds ' '"),
        ("http://proxy\\x", "remove it"),
        ("http://pro\u3000xy", "remove it"),
        ("http://pro\x00xy", "remove it"),
        ("http://pro%78y", "no host name"),
        ("http://[::1", "without its ']'"),
        ("http://[::zz]:1", "bad IPv6"),
        ("http://[::1]x", "expected ':port'"),
        ("http://mallory:hunter2@-\u2764-\u200d.example", "can't be"),
    ],
)
def test_proxies_that_can_not_be(url: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        parse_proxy(url)
    assert str(caught.value).startswith("proxy '")
    assert not any(secret in str(caught.value) for secret in SECRETS)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_proxy_must_be_text() -> None:
    with pytest.raises(TypeError, match=r"must be a str, .* not bytes") as caught:
        parse_proxy(b"http://mallory:hunter2@proxy")  # type: ignore[arg-type]  # wrong, on purpose
    assert "hunter2" not in str(caught.value)


def test_a_proxy_shows_no_credentials() -> None:
    proxy = parse_proxy("http://mallory:hunter2@[::1]:3128")
    assert proxy.url == "http://***@[::1]:3128"
    for shown in (str(proxy), repr(proxy), repr([proxy])):
        assert "http://***@[::1]:3128" in shown
        assert not any(secret in shown for secret in SECRETS)
    assert parse_proxy("proxy").url == "http://proxy:80"
    assert pickle.loads(pickle.dumps(proxy)) == proxy
    with pytest.raises(AttributeError, match="can't be changed") as caught:
        proxy.password = "hunter2"
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("proxies", "secure", "plain"),
    [
        ({}, None, None),
        ({"http": "a"}, None, "a"),
        ({"https": "a"}, "a", None),
        ({"all": "a"}, "a", "a"),
        ({"https": "a", "http": "b", "all": "c"}, "a", "b"),
        ({"all": "c", "https": "b", "wss": "a"}, "a", "c"),
        ({"http": "b", "ws": "a"}, None, "a"),
        ({"https": None, "all": "c"}, None, "c"),
        ({"wss": "", "https": "b", "http": ""}, None, None),
    ],
)
def test_what_a_mapping_chooses(
    proxies: dict[str, str | None], secure: str | None, plain: str | None
) -> None:
    for is_secure, host in ((True, secure), (False, plain)):
        proxy = chosen(proxies, is_secure, "example.org", 443)
        assert (proxy and proxy.host) == host


@pytest.mark.parametrize(
    ("proxies", "message"),
    [
        (None, "must be a mapping of str to str, not NoneType"),
        ("http://mallory:hunter2@proxy", "must be a mapping of str to str, not str"),
        ([("http", "x")], "not list"),
        ({b"http": "x"}, "not b'http'"),
        ({"https": b"hunter2"}, r"proxies\['https'\] must be a str or None, not bytes"),
    ],
)
def test_mappings_that_can_not_be(proxies: object, message: str) -> None:
    with pytest.raises(TypeError, match=message) as caught:
        chosen(proxies, True, "h", 443)  # type: ignore[arg-type]  # wrong, on purpose
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("secure", [True, False])
@pytest.mark.parametrize(
    "key", ["https://", "all://", "http://h", "HTTPS", "No", "no_", "socks", ""]
)
def test_a_key_that_is_none_is_named_and_so_are_the_keys(key: str, secure: bool) -> None:
    with pytest.raises(ValueError, match="a key that is none") as caught:
        chosen({"all": "proxy", key: "http://mallory:hunter2@proxy"}, secure, "h", 1)
    for word in (key, "'https'", "'wss'", "'http'", "'ws'", "'all'"):
        assert word in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_key_that_is_none_shows_no_password() -> None:
    with pytest.raises(ValueError, match=r"'http://\*\*\*@h'") as caught:
        chosen({"http://mallory:hunter2@h": "proxy"}, True, "h", 1)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("key", ["no", "no_proxy"])
@pytest.mark.parametrize(
    ("hosts", "host", "port", "proxy"),
    [
        ("example.org", "example.org", 443, None),
        ("example.org", "a.example.org", 443, None),
        ("example.org", "example.net", 443, "p"),
        ("x, example.org:81", "example.org", 81, None),
        ("x, example.org:81", "example.org", 443, "p"),
        ("10.0.0.0/8", "10.1.2.3", 443, None),
        ("*", "example.org", 443, None),
        ("", "example.org", 443, "p"),
        (None, "example.org", 443, "p"),
    ],
)
def test_a_mapping_has_exceptions(
    key: str, hosts: str | None, host: str, port: int, proxy: str | None
) -> None:
    for secure in (True, False):
        found = chosen({"all": "p", key: hosts}, secure, host, port)
        assert (found and found.host) == proxy


def test_each_list_of_exceptions_counts() -> None:
    proxies = {"all": "p", "no": "a", "no_proxy": "b"}
    found = [chosen(proxies, True, host, 443) for host in ("a", "b", "c")]
    assert [proxy and proxy.host for proxy in found] == [None, None, "p"]


def test_exceptions_must_be_text() -> None:
    with pytest.raises(TypeError, match=r"proxies\['no'\] must be a str or None, not list"):
        chosen({"all": "p", "no": ["a"]}, True, "h", 443)  # type: ignore[dict-item]  # wrong, on purpose


def test_what_python_knows_of_the_environment_is_a_mapping(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("https", "http", "ftp", "no"):
        monkeypatch.setenv(f"{name}_proxy", "h.example" if name == "no" else f"http://{name}:1")
    proxies = urllib.request.getproxies()
    assert proxies.keys() == {"https", "http", "ftp", "no"}
    for host, hosts in (("h.example", [None, None]), ("g.example", ["https", "http"])):
        found = [chosen(proxies, secure, host, 443) for secure in (True, False)]
        assert [proxy and proxy.host for proxy in found] == hosts


def test_a_bad_proxy_of_a_mapping_is_named() -> None:
    with pytest.raises(ValueError, match=r"^proxies\['https'\]: proxy 'http://\*\*\*@p:x' has"):
        chosen({"https": "mallory:hunter2@p:x"}, True, "h", 1)


@pytest.mark.parametrize(
    ("environ", "secure", "plain"),
    [
        ({}, None, None),
        ({"https_proxy": "a", "http_proxy": "b"}, "a", "b"),
        ({"HTTPS_PROXY": "a", "HTTP_PROXY": "b"}, "a", "b"),
        ({"all_proxy": "c", "ws_proxy": "b", "wss_proxy": "a"}, "a", "b"),
        ({"https_proxy": "c", "http_proxy": "c", "WSS_PROXY": "a", "WS_PROXY": "b"}, "a", "b"),
        ({"ALL_PROXY": "a"}, "a", "a"),
        ({"https_proxy": "a", "HTTPS_PROXY": "b"}, "a", None),
        ({"https_proxy": "", "HTTPS_PROXY": "b"}, None, None),
        ({"https_proxy": "", "HTTPS_PROXY": "b", "all_proxy": "c"}, "c", "c"),
        ({"HTTP_PROXY": "b", "HTTPS_PROXY": "a", "REQUEST_METHOD": "GET"}, "a", None),
        ({"http_proxy": "b", "HTTP_PROXY": "c", "REQUEST_METHOD": "GET"}, None, "b"),
        ({"Https_Proxy": "a"}, None, None),
        ({"all_proxy": "a", "no_proxy": "example.org"}, None, None),
        ({"all_proxy": "a", "NO_PROXY": "x, example.org:81"}, None, None),
        ({"all_proxy": "a", "NO_PROXY": "example.org:80"}, "a", "a"),
        ({"all_proxy": "a", "NO_PROXY": "*", "no_proxy": ""}, "a", "a"),
        ({"all_proxy": "bad url", "NO_PROXY": "*"}, None, None),
    ],
)
def test_what_the_environment_chooses(
    environ: dict[str, str], secure: str | None, plain: str | None
) -> None:
    for is_secure, host in ((True, secure), (False, plain)):
        proxy = from_environment(is_secure, "www.example.org", 81, environ)
        assert (proxy and proxy.host) == host


@pytest.mark.parametrize("name", ["https_proxy", "ALL_PROXY"])
def test_a_bad_proxy_of_the_environment_is_named(name: str) -> None:
    with pytest.raises(ValueError, match=f"^environment variable {name}: proxy '.* has") as caught:
        from_environment(True, "h", 443, {name: "http://mallory:hunter2@proxy:x"})
    assert "hunter2" not in str(caught.value)


def test_the_environment_is_that_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("wss_proxy", "a")
    proxy = from_environment(True, "h", 443)
    assert proxy is not None
    assert proxy.host == "a"


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_the_settings_of_the_system(platform: str, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {"http": "http://plain:1", "https": "http://secure:2"}
    monkeypatch.setattr(urllib.request, "getproxies", lambda: settings)
    monkeypatch.setattr(urllib.request, "proxy_bypass", lambda host: host == "bypassed")
    assert from_environment(True, "h", 443, {}) is None
    monkeypatch.setattr(sys, "platform", platform)
    assert from_environment(True, "h", 443, {}) == Proxy("http", "secure", 2)
    assert from_environment(False, "h", 80, {}) == Proxy("http", "plain", 1)
    assert from_environment(True, "h", 443, {"all_proxy": "mine"}) == Proxy("http", "mine", 80)
    assert from_environment(True, "bypassed", 443, {}) is None
    assert from_environment(True, "h", 443, {"no_proxy": "h"}) is None
    settings["https"] = "gopher://mallory:hunter2@h"
    with pytest.raises(ValueError, match=r"^the system's settings: proxy ") as caught:
        from_environment(True, "h", 443, {})
    assert "hunter2" not in str(caught.value)
    settings.clear()
    assert from_environment(True, "h", 443, {}) is None


@pytest.mark.parametrize(
    ("no_proxy", "host", "expected"),
    [
        ("", "example.org", False),
        (" ,\t, ", "example.org", False),
        ("*", "example.org", True),
        ("a,*", "::1", True),
        ("example.org", "example.org", True),
        ("EXAMPLE.org.", "Example.Org", True),
        ("example.org", "example.org.", True),
        ("example.org", "www.example.org", True),
        ("example.org", "notexample.org", False),
        ("www.example.org", "example.org", False),
        (".example.org", "www.example.org", True),
        (".example.org", "example.org", True),
        (".example.org", "notexample.org", False),
        ("*.example.org", "a.b.example.org", True),
        ("*.example.org", "notexample.org", False),
        ("*example.org", "notexample.org", False),
        ("a b\tc\nexample.org", "example.org", True),
        ("a,b,,example.org,", "example.org", True),
        ("example.org:80", "example.org", True),
        ("example.org:81", "example.org", False),
        (".example.org:80", "www.example.org", True),
        ("example.org:", "example.org", True),
        ("example.org:x", "example.org", False),
        ("example.org:99999", "example.org", False),
        (".", "example.org", False),
        ("*.", "example.org", False),
        ("org", "example.org", True),
        ("faß.example", "xn--fa-hia.example", True),
        ("\udce9.example,example.org", "example.org", True),
        ("http://example.org", "example.org", False),
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1:81", "127.0.0.1", False),
        ("0.0.1", "127.0.0.1", False),
        (".0.0.1", "127.0.0.1", False),
        ("::1", "::1", True),
        ("::1", "[::1]", True),
        ("0:0::1", "::1", True),
        ("[::1]", "::1", True),
        ("[::1]:80", "::1", True),
        ("[::1]:81", "::1", False),
        ("[::1", "::1", False),
        ("fe80::1", "fe80::1%eth0", True),
        ("::1", "example.org", False),
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.9.9.9/8", "10.1.2.3", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("10.0.0.0/33,10.1.2.3/32", "10.1.2.3", True),
        ("10.0.0.0/8", "example.org", False),
        ("10.0.0.0/8", "::a00:1", False),
        ("fd00::/8", "fd12::1", True),
        ("[fd00::]/8", "fd12::1", True),
        ("fd00::/8", "fe80::1", False),
        ("fd00::/8", "10.1.2.3", False),
        ("127.0.0.1", "::ffff:127.0.0.1", True),
        ("::ffff:127.0.0.1", "127.0.0.1", True),
        ("10.0.0.0/8", "::ffff:10.1.2.3", True),
        ("::ffff:10.0.0.0/104", "10.1.2.3", True),
        ("::ffff:10.0.0.0/104", "11.1.2.3", False),
    ],
)
def test_exceptions(no_proxy: str, host: str, expected: bool) -> None:
    assert is_bypassed(host, 80, no_proxy) is expected


def test_many_exceptions_take_no_long_time() -> None:
    started = time.process_time()
    assert not is_bypassed("example.org", 80, " ".join(["*.a", "a:1", "[", ":::", "1/2"] * 2000))
    assert time.process_time() - started < 5
