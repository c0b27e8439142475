"""What Authorization says, and how challenges are read and answered."""

from __future__ import annotations

import hashlib
import time
from typing import Any

import pytest

from lomond.credentials import Challenge, answer, authorization, basic, challenges, digest

# RFC 7616 section 3.9.1.
MUFASA_NONCE = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
MUFASA_CNONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
MUFASA_OPAQUE = "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"
MUFASA_REST = (
    f'realm="http-auth@example.org", qop="auth, auth-int", nonce="{MUFASA_NONCE}", '
    f'opaque="{MUFASA_OPAQUE}"'
)
MUFASA_SHA = f"Digest {MUFASA_REST}, algorithm=SHA-256"
MUFASA_MD5 = f"Digest {MUFASA_REST}, algorithm=MD5"


def mufasa(value: str) -> str | None:
    return answer(
        value, "Mufasa", "Circle of Life", method="GET", uri="/dir/index.html", cnonce=MUFASA_CNONCE
    )


def respond(parameters: dict[str, str], **others: Any) -> str | None:
    """The answer of the user of RFC 2617 section 3.5."""
    said = {"realm": "testrealm@host.com", "nonce": "dcd98b7102dd2f0e8b11d0f600bfb0c093"}
    given = {"method": "GET", "uri": "/dir/index.html", "cnonce": "0a4f113b", **others}
    user, secret = given.pop("username", "Mufasa"), given.pop("password", "Circle Of Life")
    challenge = Challenge("digest", {**said, **parameters})
    return digest(challenge, user, secret, **given)


@pytest.mark.parametrize(
    ("username", "password", "value"),
    [
        ("Aladdin", "open sesame", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),  # RFC 7617 section 2
        ("test", "123\u00a3", "Basic dGVzdDoxMjPCow=="),  # section 2.1
        ("", "", "Basic Og=="),
        ("a", "b:c", "Basic YTpiOmM="),
    ],
)
def test_basic(username: str, password: str, value: str) -> None:
    assert basic(username, password) == authorization((username, password)) == value


@pytest.mark.parametrize(
    ("username", "password", "message"),
    [
        ("mallory:x", "hunter2", "user name has a ':'"),
        ("mallory\r\n", "hunter2", "user name has a character"),
        ("mallory", "hunter2\x00", "password has a character"),
        ("mallory", "hunter2\x7f", "password has a character"),
        ("mallory", "hunter2\ud800", "password has a character"),
    ],
)
def test_users_that_can_not_be(username: str, password: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        authorization((username, password))
    assert "hunter2" not in str(caught.value)
    assert "mallory" not in str(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize("token", ["a", "AbC-._~+/09==", "eyJ0.eyJz.c2ln"])
def test_bearer_tokens(token: str) -> None:
    assert authorization(token) == f"Bearer {token}"


@pytest.mark.parametrize(
    "token", ["", "=", "Bearer hunter2", "hunter2\n", "hunter2=x", "hunter2é", "user:hunter2", " x"]
)
def test_bearer_tokens_that_can_not_be(token: str) -> None:
    with pytest.raises(ValueError, match="no bearer token") as caught:
        authorization(token)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "auth",
    [
        None,
        b"hunter2",
        ("hunter2",),
        ("a", "hunter2", "b"),
        ["a", "hunter2"],
        ("a", b"hunter2"),
        (),
    ],
)
def test_auth_must_be_one_of_two(auth: Any) -> None:
    with pytest.raises(TypeError, match="tuple of user name and password, or a bearer") as caught:
        authorization(auth)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", []),
        (" , ,", []),
        ("Negotiate", [("negotiate", {}, None)]),
        ("Negotiate YII=, Basic realm=x", [("negotiate", {}, "YII="), ("basic", {"realm": "x"})]),
        ("NTLM TlRMTVNTUAAC/+==", [("ntlm", {}, "TlRMTVNTUAAC/+==")]),
        # RFC 9110 section 11.6.1
        (
            'Basic realm="simple", Newauth realm="apps", type=1, title="Login to \\"apps\\""',
            [
                ("basic", {"realm": "simple"}),
                ("newauth", {"realm": "apps", "type": "1", "title": 'Login to "apps"'}),
            ],
        ),
        ("A, B,C", [("a", {}), ("b", {}), ("c", {})]),
        ("A\tx=1,,\ty=2", [("a", {"x": "1", "y": "2"})]),
        ('A x = "a, B y=1" , Z = 2', [("a", {"x": "a, B y=1", "z": "2"})]),
        ('A x="\\a\\\\\\"", y=""', [("a", {"x": 'a\\"', "y": ""})]),
        ("A x=1, X=2", [("a", {"x": "1"})]),
        ("A y=a/b==, x=", [("a", {"x": "", "y": "a/b=="})]),
        # What can't be read is left out, up to the next comma.
        ("x=1, Basic realm=y", [("basic", {"realm": "y"})]),
        ("\x00\xff, Basic @@, realm=y", [("basic", {"realm": "y"})]),
        ('Basic realm="y"z w=1, v=2', [("basic", {"realm": "y", "v": "2"})]),
        ("A@x=1, B", [("a", {}), ("b", {})]),
        ('"A", B', [("b", {})]),
        ("A B x=1", [("a", {}), ("b", {"x": "1"})]),
        ('A x="never', [("a", {"x": "never"})]),
        ('A x="never\\', [("a", {"x": "never"})]),
        ('A x="', [("a", {"x": ""})]),
        ("\u20ac", []),
    ],
)
def test_challenges(value: str, expected: list[Any]) -> None:
    assert challenges(value) == [Challenge(*parts) for parts in expected]


HOSTILE = (
    *('a="', 'a="\\', "a ", "a=", "a\\", '"', '\\"', "a,", "=", " ", "\t=", "aaaaaaaa", "\u00e9"),
    *("a b", "a  b", "a b=c ", "a==,", 'a x="\\",', 'A x="a" '),
)


@pytest.mark.parametrize("pattern", HOSTILE)
def test_hostile_challenges_take_no_long_time(pattern: str) -> None:
    started = time.process_time()
    challenges(pattern * 50_000)
    challenges(f"Digest {pattern * 50_000}!")
    challenges(f"a{' ' * 100_000}b{' ' * 100_000}")
    assert time.process_time() - started < 10  # a square of it would be hours


def test_digest_of_rfc_7616() -> None:
    rest = f'nonce="{MUFASA_NONCE}", nc=00000001, cnonce="{MUFASA_CNONCE}", qop=auth'
    who = 'Digest username="Mufasa", realm="http-auth@example.org", uri="/dir/index.html"'
    md5, sha = (
        "8ca523f5e9506fed4657c9700eebdbec",
        "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
    )
    assert mufasa(MUFASA_MD5) == (
        f'{who}, algorithm=MD5, {rest}, response="{md5}", opaque="{MUFASA_OPAQUE}"'
    )
    expected = f'{who}, algorithm=SHA-256, {rest}, response="{sha}", opaque="{MUFASA_OPAQUE}"'
    assert mufasa(MUFASA_SHA) == expected
    for several in (f"{MUFASA_MD5}, {MUFASA_SHA}", f"Basic realm=x, {MUFASA_SHA}, {MUFASA_MD5}"):
        assert mufasa(several) == expected


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"qop": "auth,auth-int"}, "6629fae49393a05397450978507c4ef1"),  # RFC 2617 section 3.5
        ({"qop": "AUTH-INT , Auth", "algorithm": "md5"}, "6629fae49393a05397450978507c4ef1"),
        ({}, "670fd8c2df070c60b045671b8b24ff02"),
        ({"qop": ""}, "670fd8c2df070c60b045671b8b24ff02"),
    ],
)
def test_digest_of_older_rfcs(parameters: dict[str, str], expected: str) -> None:
    said = respond(parameters)
    assert said is not None
    assert f'response="{expected}"' in said
    assert ("qop=auth" in said) is ("nc=" in said) is ("cnonce=" in said)
    assert ("qop=auth" in said) is bool(parameters.get("qop"))
    assert ("algorithm=MD5," in said) is ("algorithm" in parameters)
    assert "opaque" not in said


@pytest.mark.parametrize(("algorithm", "name"), [("MD5-sess", "md5"), ("sha-256-SESS", "sha256")])
@pytest.mark.parametrize("has_quality", [True, False])
def test_digest_of_a_session(algorithm: str, name: str, has_quality: bool) -> None:
    def hashed(text: str) -> str:
        return hashlib.new(name, text.encode()).hexdigest()

    parameters = {"realm": "r", "nonce": "n", "algorithm": algorithm}
    if has_quality:
        parameters["qop"] = "auth"
    said = respond(parameters, method="CONNECT", uri="h:443", cnonce="c", count=26)
    first = hashed(hashed("Mufasa:r:Circle Of Life") + ":n:c")
    middle = "n:0000001a:c:auth" if has_quality else "n"
    response = hashed(f"{first}:{middle}:{hashed('CONNECT:h:443')}")
    assert said is not None
    assert f'response="{response}"' in said
    assert 'cnonce="c"' in said
    assert ("nc=0000001a" in said) is has_quality
    assert f"algorithm={algorithm.upper().replace('SESS', 'sess')}," in said


@pytest.mark.parametrize(
    "parameters",
    [
        {"algorithm": "SHA-512-256"},
        {"algorithm": ""},
        {"algorithm": "MD5-sess-sess"},
        {"qop": "auth-int"},
        {"qop": "other"},
        {"realm": "x\r\nInjected: y"},
        {"nonce": "x\x00"},
        {"opaque": "x\n"},
        {"opaque": "\ud800"},
    ],
)
def test_digests_that_can_not_be_answered(parameters: dict[str, str]) -> None:
    assert respond(parameters) is None


def test_a_digest_needs_a_realm_and_a_nonce() -> None:
    for value in ("Digest realm=x", "Digest nonce=x", "Digest", "Digest abc=", "Negotiate"):
        assert mufasa(value) is None
    assert digest(Challenge("basic", {"realm": "r", "nonce": "n"}), "u", "p", method="GET", uri="/",
                  cnonce="c") is None  # fmt: skip


def test_nothing_gets_out_of_its_quotes() -> None:
    said = respond(
        {"realm": 'r", uri="/x', "nonce": 'n\\"', "opaque": '"'}, username='a", realm="b'
    )
    assert said is not None
    assert challenges(said)[0].parameters == {
        "username": 'a", realm="b',
        "realm": 'r", uri="/x',
        "uri": "/dir/index.html",
        "nonce": 'n\\"',
        "response": challenges(said)[0].parameters["response"],
        "opaque": '"',
    }


def test_a_digest_of_a_user_who_is_not_ascii() -> None:
    said = respond({}, username="J\u00e4s\u00f8n Doe")
    assert said is not None
    assert said.startswith("Digest username*=UTF-8''J%C3%A4s%C3%B8n%20Doe, realm=")
    for secret in ({"username": "mallory\n"}, {"password": "hunter2\n"}):
        with pytest.raises(ValueError, match="can't be sent") as caught:
            respond({}, **secret)
        assert not any(value.strip() in str(caught.value) for value in secret.values())


def test_which_challenge_is_answered() -> None:
    assert mufasa("Bearer, Basic realm=x") == basic("Mufasa", "Circle of Life")
    unknown = MUFASA_SHA.replace("SHA-256", "SHA-512-256")
    assert mufasa(unknown) is None
    assert mufasa(f"{unknown}, {MUFASA_MD5}") == mufasa(MUFASA_MD5)
    assert mufasa(f"{unknown}, Basic realm=x") == basic("Mufasa", "Circle of Life")
    only_whole = MUFASA_SHA.replace("auth, auth-int", "auth-int")
    assert mufasa(f"Basic realm=x, {only_whole}, {MUFASA_SHA}") == mufasa(MUFASA_SHA)
    assert mufasa("") is None


def test_md5_where_it_is_forbidden_for_security(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = mufasa(MUFASA_MD5)
    new = hashlib.new

    def strict(name: str, data: bytes, *, usedforsecurity: bool = True) -> Any:
        if usedforsecurity:
            raise ValueError("disabled for FIPS")
        return new(name, data, usedforsecurity=False)

    monkeypatch.setattr(hashlib, "new", strict)
    assert mufasa(MUFASA_MD5) == whole
