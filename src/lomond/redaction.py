"""What is secret in URLs, heads and words, and these without it; for logs and records.

A secret is known by where it stands: the user and password of a URL, the value of a header or of a
part of a query whose name says so, a sub-protocol that is a token. One that was seen there is known
again wherever else it turns up, as in the words of a server that refuses it.
"""

from __future__ import annotations

import re
from binascii import Error as NoBase64, a2b_base64
from collections.abc import Iterable, Iterator
from typing import AnyStr

from .url import redact, userinfo

__all__ = ["HIDDEN", "Discretion", "discreet_head", "discreet_text", "discreet_url", "is_secret"]

#: What stands for a secret.
HIDDEN = "***"

#: What a name that is secret has in it, wherever; and among its words, as a whole.
_PARTS = (
    "token", "secret", "passw", "passphrase", "signature", "credential", "session", "apikey",
    "accesskey", "authkey", "userkey", "privatekey", "licensekey", "passcode", "authoriz", "jwt",
    "bearer", "cookie",
)  # fmt: skip
_WORDS = frozenset({"key", "sig", "auth", "pwd", "pass", "sid", "otp", "hmac", "ticket"})
_ONLY_OF_QUERIES = frozenset({"code"})  # a header of that name tells a status
#: Headers that no such name makes secret: the handshake's own, and what they call credentials.
_OPEN = ("sec-websocket-", "access-control-", "www-authenticate", "proxy-authenticate")
_PROTOCOL = "sec-websocket-protocol"
#: Shorter ones are words like any other, and stay where they turn up elsewhere.
_SHORTEST = 6  # characters
_MOST = 1000  # secrets that one remembers
_DEPTH = 3  # URLs within values of URLs
#: What stands for the rest of a text that is cut.
_CUT = "..."
_STRAY = "surrogateescape"  # of bytes that are no UTF-8: they come back as they were
_LONGEST_CUT = 2000  # characters; what is longer are no words of ours, which are cut
#: Words of every handshake: whoever has one for a secret has none.
_COMMON = frozenset({"websocket", "upgrade", "connection", "keep-alive", "permessage-deflate"})

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")
_NAME = re.compile(r"[?&;#]([^=&;#?\s]+)=")
#: How far a value goes: one that may be shown; a secret in a text that is a URL; in another text.
_SHOWN_ONE = re.compile(r"[^&;#?\s]*")
_IN_URL = re.compile(r"[^&#\s]*")
_IN_TEXT = re.compile(r"[^&#\s\"'<>]*")
_JWT = re.compile(r"\beyJ[\w-]{4,}\.[\w-]*\.[\w-]*")  # RFC 7519: it begins as base64 of '{"'
_LINE_END = re.compile(r"(\r?\n)")
_OPAQUE = re.compile(r"[A-Za-z0-9+/=_~-]{20,}")
_DIGITS = 2  # that an opaque text has at least
_PATH = re.compile(r"[/?#]")
_SCHEME = re.compile(r"[A-Za-z][\w-]*[ \t]+")


def is_secret(name: str, *, of_header: bool = False) -> bool:
    """Whether the name of a part of a query, or of a header, says that its value is secret.

    Arguments:
        name: As it stands there, in any letter case, percent-encoded or not.
        of_header: Whether it is a header's.
    """
    if "%" in name:
        name = _unquoted(name)
    lower = name.lower()
    if of_header and lower.startswith(_OPEN):
        return False
    words = {word.lower() for word in _WORD.findall(name)} | {lower}
    joined = "".join(filter(str.isalnum, lower))
    return (
        not words.isdisjoint(_WORDS)
        or any(part in joined for part in _PARTS)
        or (not of_header and not words.isdisjoint(_ONLY_OF_QUERIES))
    )


def discreet_url(url: str) -> str:
    """The URL, or the target of a request, without its secrets: ``***`` stands for each."""
    return _hidden_within(redact(url), _IN_URL)


def discreet_text(text: str) -> str:
    """A text for people without the secrets of every URL in it."""
    return _hidden_within(redact(text), _IN_TEXT)


def discreet_head(head: bytes) -> bytes:
    """The head of an HTTP request or answer without the secrets of its lines."""
    text = head.decode("latin-1")
    parts: list[str] = []
    is_hidden = False
    for place, line in enumerate(_LINE_END.split(text)):
        if place % 2:  # what ends a line
            parts.append(line)
            continue
        name, colon, value = line.partition(":")
        if place and line[:1] in (" ", "\t"):  # folded (RFC 9112 section 5.2)
            parts.append(f" {HIDDEN}" if is_hidden else discreet_url(line))
        elif not place or not colon:
            is_hidden = False
            parts.append(discreet_url(line))
        else:
            is_hidden = is_secret(name.strip(), of_header=True)
            space = value[: len(value) - len(value.lstrip())]
            value = HIDDEN if is_hidden else _value(name.strip().lower(), value.strip())
            parts.append(f"{name}:{space}{value}")
    return "".join(parts).encode("latin-1")


class Discretion:
    """What takes secrets out of texts: those of their URLs, and those that it was told of.

    Threads may share one: what one of them has told of is known to all from then on.
    """

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[str, None] = {}  # those that were learned last come last

    def learn_url(self, url: str) -> None:
        """Know the secrets of a URL from now on."""
        self._learn(_secrets_of_url(url))

    def learn_head(self, head: bytes) -> None:
        """Know the secrets of the head of a request, or of an answer, from now on."""
        self._learn(_secrets_of_head(head.decode("latin-1")))
        if not head.isascii():
            self._learn(_secrets_of_head(head.decode("utf-8", "replace")))

    def _learn(self, secrets: Iterable[str]) -> None:
        for secret in secrets:
            is_common = len(secret) < _SHORTEST or secret.lower() in _COMMON
            if not is_common and HIDDEN not in secret:
                self._known.pop(secret, None)
                self._known[secret] = None
        if len(self._known) > _MOST:
            for secret in tuple(self._known)[:-_MOST]:
                self._known.pop(secret, None)

    def url(self, url: str) -> str:
        """The URL without its secrets, and those that are known."""
        return self._without_known(discreet_url(url))

    def text(self, text: str) -> str:
        """The text without the secrets of every URL in it, and those that are known."""
        return self._without_known(discreet_text(text))

    def head(self, head: bytes) -> bytes:
        """The head without the secrets of its lines, and those that are known."""
        return self.data(discreet_head(head))

    def data(self, data: bytes) -> bytes:
        """The bytes without the secrets that are known."""
        for secret in self._longest_first():
            for said in _encoded(secret):
                data = data.replace(said, HIDDEN.encode())
        return data

    def body(self, body: AnyStr) -> AnyStr:
        """What came of an answer's body, without secrets, and without the beginning of one.

        It may end within one: at our limit, or where the connection was lost.
        """
        if isinstance(body, str):
            shown = self.text(body)
            for secret in self._longest_first():
                shown = _without_end(shown, secret, HIDDEN)
            return shown
        shown = discreet_text(body.decode("utf-8", _STRAY))
        data = self.data(shown.encode("utf-8", _STRAY))
        for secret in self._longest_first():
            for said in _encoded(secret):
                data = _without_end(data, said, HIDDEN.encode())
        return data

    def _without_known(self, text: str) -> str:
        secrets = self._longest_first()
        for secret in secrets:
            text = text.replace(secret, HIDDEN)
        if _CUT not in text or len(text) > _LONGEST_CUT:
            return text
        *cut, rest = text.split(_CUT)
        for secret in secrets:
            cut = [_without_end(part, secret, HIDDEN) for part in cut]
        return _CUT.join([*cut, rest])

    def _longest_first(self) -> list[str]:
        # Not kept: another thread might learn one meanwhile, which would be missing then.
        return sorted(self._known, key=len, reverse=True)


def _without_end(text: AnyStr, secret: AnyStr, hidden: AnyStr) -> AnyStr:
    """A text that was cut, without what it has of a secret at its end."""
    for size in range(min(len(secret), len(text)), _SHORTEST - 1, -1):
        if text[-size:] == secret[:size]:
            return text[:-size] + hidden
    return text


# Where they stand


def _values(text: str, secret: re.Pattern[str]) -> Iterator[tuple[int, int, bool]]:
    """Where the values in queries begin and end, and whether they are secret; no empty ones."""
    position = 0
    while (name := _NAME.search(text, position)) is not None:
        hides = is_secret(name[1])
        value = (secret if hides else _SHOWN_ONE).match(text, name.end())
        position = name.end() if value is None else value.end()
        if position > name.end():
            yield name.end(), position, hides


def _hidden_within(text: str, secret: re.Pattern[str], depth: int = _DEPTH) -> str:
    """The text without the secrets of queries in it, also of URLs that are values there."""
    shown: list[str] = []
    before = 0
    for start, end, hides in _values(text, secret) if "=" in text else ():
        value = HIDDEN if hides else text[start:end]
        if "%" in value and depth:
            inner = _unquoted(value)
            hidden = _hidden_within(redact(inner), secret, depth - 1)
            value = value if hidden == inner else _quoted(hidden)
        shown += text[before:start], value
        before = end
    text = "".join([*shown, text[before:]])
    return _JWT.sub(HIDDEN, text) if "eyJ" in text else text


def _value(name: str, value: str) -> str:
    if name == _PROTOCOL:
        return ", ".join(_shown_protocol(*pair) for pair in _protocols(value))
    return discreet_url(value)


def _protocols(value: str) -> Iterator[tuple[str, str]]:
    """Each sub-protocol of a header, behind the one before it."""
    before = ""
    for protocol in value.split(","):
        yield before, protocol.strip()
        before = protocol.strip()


def _shown_protocol(before: str, protocol: str) -> str:
    secret = _secret_of_protocol(before, protocol)
    return protocol.removesuffix(secret) + HIDDEN if secret else protocol


def _secret_of_protocol(before: str, protocol: str) -> str:
    """What is secret at the end of a sub-protocol; mostly nothing.

    Browsers can't set headers, so that tokens travel here: behind a name that says so, with a dot
    between (``bearer.TOKEN``) or as the next one (``access_token, TOKEN``), or by themselves.
    """
    if before and "." not in before and is_secret(before, of_header=True):
        return protocol
    place = 0
    for found in re.finditer(r"[^.]+\.", protocol):
        # Words of a name end with a dot; what is behind the last one that says so is the token.
        part = found[0][:-1]
        if is_secret(part, of_header=True):
            place = found.end()
    if place:
        return protocol[place:]
    is_opaque = _JWT.search(protocol) or any(map(_is_random, _OPAQUE.findall(protocol)))
    return protocol if is_opaque else ""


def _is_random(text: str) -> bool:
    digits = sum(map(str.isdigit, text))
    return digits >= _DIGITS and digits < len(text)


# Which they are


def _secrets_of_url(url: str, depth: int = _DEPTH) -> Iterator[str]:
    """Password, and secret values of the query, as they stand there and as they are meant."""
    try:
        user = userinfo(url)
    except ValueError:
        user = None  # they are no UTF-8
    if user is not None:
        yield from _forms(user[1])
        netloc = _PATH.split(url.partition("//")[2], maxsplit=1)[0]
        yield netloc.rpartition("@")[0].partition(":")[2]
    for start, end, hides in _values(url, _IN_URL):
        value = url[start:end]
        if hides:
            yield value
            yield from _forms(_unquoted(value))
            yield _unquoted(value.replace("+", " "))
        elif "%" in value and depth:
            yield from _secrets_of_url(_unquoted(value), depth - 1)


def _secrets_of_head(head: str) -> Iterator[str]:
    lines = head.replace("\r\n", "\n").split("\n")
    yield from _secrets_of_url(lines[0])
    for line in lines[1:]:
        name, _, value = line.partition(":")
        lower, value = name.strip().lower(), value.strip()
        if lower == _PROTOCOL:
            yield from (_secret_of_protocol(*pair) for pair in _protocols(value))
        elif not is_secret(lower, of_header=True):
            yield from _secrets_of_url(value)
        elif lower == "set-cookie":
            yield value.partition(";")[0].partition("=")[2].strip(' "')
        elif lower == "cookie":
            yield from (pair.partition("=")[2].strip(' "') for pair in value.split(";"))
        else:
            yield from _secrets_of_login(value)


def _secrets_of_login(value: str) -> Iterator[str]:
    """What a header says that is secret: all of it, what is behind a scheme, a password."""
    yield value
    scheme = _SCHEME.match(value)
    said = value[scheme.end() :] if scheme else ""
    if "," in said or not said:  # parameters, as Digest has them
        return
    yield said
    if scheme and scheme[0].strip().lower() == "basic":
        try:
            pair = a2b_base64(said).decode()
        except (NoBase64, UnicodeDecodeError):
            return
        yield from _forms(pair.partition(":")[2])


def _encoded(secret: str) -> Iterator[bytes]:
    """A secret as bytes may have it: in UTF-8, and as a head has characters beyond ASCII."""
    yield secret.encode("utf-8", "surrogatepass")
    if not secret.isascii() and max(secret) <= "\xff":
        yield secret.encode("latin-1")


def _forms(secret: str) -> Iterator[str]:
    """A secret as it is, and as a URL has it."""
    yield secret
    yield _quoted(secret)


def _unquoted(text: str) -> str:
    from urllib.parse import unquote  # takes as long as a dozen modules of ours

    return unquote(text)


def _quoted(text: str) -> str:
    from urllib.parse import quote

    return quote(text, safe="*", errors="surrogatepass")
