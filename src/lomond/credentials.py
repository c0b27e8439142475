"""Who we are to a server or a proxy: what Authorization and Proxy-Authorization say."""

from __future__ import annotations

import re
from binascii import b2a_base64
from collections.abc import Callable, Mapping
from typing import NamedTuple

__all__ = ["Challenge", "answer", "authorization", "basic", "challenges", "digest"]

_UNFIT = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")  # control, half a pair
_BEARER = re.compile(r"[A-Za-z0-9\-._~+/]+=*")  # RFC 6750 section 2.1, b64token

# What `challenges` reads. What follows a run never begins as the run goes on, so that no text takes
# long. (Saying so by "++" would have PyPy lose what the groups hold.)
_GAP = re.compile(r"[\s,]*")
_SCHEME = re.compile(
    r"([!#$%&'*+.^_`|~0-9A-Za-z-]+)"
    r"(?:[ \t]+([A-Za-z0-9\-._~+/]+=*)(?=[ \t]*(?:,|\Z)))?"  # token68
)
_PARAMETER = re.compile(
    r"([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*=[ \t]*"
    r'(?:"((?:[^"\\]|\\.)*)(?:"|\\?\Z)|([^\s,"]*))',  # an end without its quote is the last
    re.DOTALL,
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)

#: algorithm -> its hash's name; the best first
_ALGORITHMS = {"SHA-256": "sha256", "MD5": "md5"}


class Challenge(NamedTuple):
    """One way to say who we are, as a server or proxy offers it (RFC 9110 section 11.6.1)."""

    scheme: str  #: lower case
    parameters: Mapping[str, str]  #: by lower-case name, without quotes
    token: str | None = None  #: what some schemes have instead of parameters


def basic(username: str, password: str) -> str:
    """The value of Authorization for a user (RFC 7617, as UTF-8).

    Raises:
        ValueError: The user name has a colon, or one of them what can't be sent.
    """
    if ":" in username:
        raise ValueError("the user name has a ':', which Basic authentication can't say; remove it")
    pair = _encoded(username, "user name") + b":" + _encoded(password, "password")
    return f"Basic {b2a_base64(pair, newline=False).decode()}"


def authorization(auth: tuple[str, str] | str) -> str:
    """The value of Authorization for what a user gave.

    Arguments:
        auth: User name and password for Basic authentication; or a bearer token (RFC 6750).

    Raises:
        TypeError: It is neither.
        ValueError: It can't be sent. The message shows nothing of it.
    """
    if isinstance(auth, str):
        if not _BEARER.fullmatch(auth):
            raise ValueError(
                "auth is no bearer token, which has letters, digits and '-._~+/', and '=' at its "
                "end; give the token alone, or a tuple of user name and password"
            )
        return f"Bearer {auth}"
    if not isinstance(auth, tuple) or [isinstance(part, str) for part in auth] != [True, True]:
        raise TypeError("auth must be a tuple of user name and password, or a bearer token as str")
    return basic(*auth)


def challenges(value: str) -> list[Challenge]:
    """What WWW-Authenticate or Proxy-Authenticate offers: what can be read of it, in its order.

    Of parameters with the same name the first counts.
    """
    found: list[tuple[str, dict[str, str], str | None]] = []
    position = _after_gap(value, 0)
    while position < len(value):
        parameter, scheme = _PARAMETER.match(value, position), None
        if parameter:
            position = parameter.end()
            if found:
                quoted = parameter[2]
                text = parameter[3] if quoted is None else _ESCAPED.sub(r"\1", quoted)
                found[-1][1].setdefault(parameter[1].lower(), text)
        else:
            scheme = _SCHEME.match(value, position)
            if scheme:
                position = scheme.end()
                found.append((scheme[1].lower(), {}, scheme[2]))
        if not scheme or value[position : position + 1] not in (" ", "\t"):
            # Whatever else stands before the next comma is unreadable.
            comma = value.find(",", position)
            position = len(value) if comma < 0 else comma
        position = _after_gap(value, position)
    return [Challenge(*parts) for parts in found]


def _after_gap(text: str, position: int) -> int:
    found = _GAP.match(text, position)
    return found.end() if found else position


def digest(
    challenge: Challenge,
    username: str,
    password: str,
    *,
    method: str,
    uri: str,
    cnonce: str,
    count: int = 1,
) -> str | None:
    """The value of Authorization that answers a Digest challenge (RFC 7616).

    It can be answered with MD5, MD5-sess, SHA-256 or SHA-256-sess, with the quality ``auth`` or,
    where none is offered, as RFC 2069 has it.

    Arguments:
        challenge: What was asked.
        username: Sent as ``username*`` if it is not ASCII.
        password: Not sent.
        method: Of the request: ``"GET"``, or ``"CONNECT"`` to a proxy.
        uri: As the request line has it.
        cnonce: A random text of ours.
        count: How often this nonce has been answered, with this answer.

    Returns:
        None where it can't be answered.

    Raises:
        ValueError: User name or password can't be sent.
    """
    user, secret = _encoded(username, "user name"), _encoded(password, "password")
    asked = challenge.parameters
    kind = _algorithm(challenge)
    realm, nonce, opaque = asked.get("realm"), asked.get("nonce"), asked.get("opaque")
    if kind is None or realm is None or nonce is None:
        return None
    if _UNFIT.search(realm + nonce + (opaque or "")):
        return None  # a line's end in it would begin a header of the server's making
    offered = [quality.strip().lower() for quality in asked.get("qop", "").split(",")]
    has_quality = offered != [""]
    if has_quality and "auth" not in offered:
        return None
    algorithm, is_session = kind
    hashed = _hash(_ALGORITHMS[algorithm])
    first = hashed(user + f":{realm}:".encode() + secret)
    if is_session:
        first = hashed(f"{first}:{nonce}:{cnonce}".encode())
    second = hashed(f"{method}:{uri}".encode())
    middle = f"{nonce}:{count:08x}:{cnonce}:auth" if has_quality else nonce
    response = hashed(f"{first}:{middle}:{second}".encode())
    said = [_said_user(username), f"realm={_quoted(realm)}", f"uri={_quoted(uri)}"]
    if "algorithm" in asked:
        said.append(f"algorithm={algorithm}{'-sess' if is_session else ''}")
    said.append(f"nonce={_quoted(nonce)}")
    if has_quality:
        said.append(f"nc={count:08x}")
    if has_quality or is_session:  # who checks the answer needs it
        said.append(f"cnonce={_quoted(cnonce)}")
    if has_quality:
        said.append("qop=auth")
    said.append(f'response="{response}"')
    if opaque is not None:
        said.append(f"opaque={_quoted(opaque)}")
    return f"Digest {', '.join(said)}"


def answer(
    value: str, username: str, password: str, *, method: str, uri: str, cnonce: str
) -> str | None:
    """The value of Authorization that answers the best of several challenges.

    Digest with SHA-256 is better than Digest with MD5, and that is better than Basic.

    Arguments:
        value: WWW-Authenticate or Proxy-Authenticate.
        username: Sent.
        password: Sent with Basic only.
        method: Of the request.
        uri: As the request line has it.
        cnonce: A random text of ours.

    Returns:
        None where none of them can be answered.

    Raises:
        ValueError: User name or password can't be sent.
    """
    offered = challenges(value)
    for best in _ALGORITHMS:
        for challenge in offered:
            kind = _algorithm(challenge)
            if kind is not None and kind[0] == best:
                answered = digest(
                    challenge, username, password, method=method, uri=uri, cnonce=cnonce
                )
                if answered is not None:
                    return answered
    if any(challenge.scheme == "basic" for challenge in offered):
        return basic(username, password)
    return None


def _algorithm(challenge: Challenge) -> tuple[str, bool] | None:
    """Name, and whether it hashes once for a session; None for none that is known."""
    name = challenge.parameters.get("algorithm", "MD5").upper()
    algorithm = name.removesuffix("-SESS")
    if challenge.scheme != "digest" or algorithm not in _ALGORITHMS:
        return None
    return algorithm, name != algorithm


def _hash(name: str) -> Callable[[bytes], str]:
    import hashlib

    def hashed(data: bytes) -> str:
        # Where rules forbid MD5 (FIPS) they do so for security, which here is the server's choice.
        return hashlib.new(name, data, usedforsecurity=False).hexdigest()

    return hashed


def _said_user(username: str) -> str:
    if username.isascii():
        return f"username={_quoted(username)}"
    from urllib.parse import quote

    return f"username*=UTF-8''{quote(username, safe='')}"  # RFC 7616 section 3.4


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _encoded(text: str, what: str) -> bytes:
    if _UNFIT.search(text):
        raise ValueError(f"the {what} has a character that can't be sent (control, or half a pair)")
    return text.encode()
