"""What is said to a proxy until it has connected us to the server: HTTP CONNECT.

RFC 9110 section 9.3.6, with the credentials of RFC 7617 and RFC 7616. For SOCKS see socks.py. Both
are driven alike: write what `start` gives, and give what is read to `receive` until `is_done`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ... import credentials
from ...errors import ProtocolError, ProxyError
from ...response import printable
from .answer import CONNECT, AnswerReader, Head

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...options import Limits
    from ...proxies import Proxy
    from ...response import Response

_LONGEST_PHRASE = 64  # characters
_UNAUTHORIZED = (401, 407)  # some proxies answer the one, RFC 9110 section 15.5.8 says the other


class HttpTunnel:
    """A way through an HTTP proxy.

    Arguments:
        proxy: With its credentials, if it has any.
        target: ``host:port`` of the server.
        agent: For User-Agent.
        limits: What an answer may cost.
        random_bytes: Gives n unpredictable bytes.

    Attributes:
        is_done: The proxy has connected us.
        rest: What came behind its answer: the server's first bytes.
        is_reading_body: It has refused, and the body of its answer is awaited.
    """

    def __init__(
        self,
        proxy: Proxy,
        target: str,
        agent: str,
        limits: Limits,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self.is_done = False
        self.rest = b""
        self._proxy = proxy
        self._target = target
        self._agent = agent
        self._limits = limits
        self._random_bytes = random_bytes
        self._authorization: str | None = None
        self._answers = 0  # how many challenges were answered
        if proxy.username is not None:
            self._authorization = credentials.basic(proxy.username, proxy.password or "")
        self._answer = self._reader()

    def _reader(self) -> AnswerReader:
        return AnswerReader(CONNECT, self._limits, "use an https:// proxy URL")

    @property
    def is_reading_body(self) -> bool:
        return self._answer.is_reading_body

    def start(self) -> bytes:
        """The request; anew on each connection to the proxy."""
        self._answer = self._reader()
        lines = [
            f"CONNECT {self._target} HTTP/1.1",
            f"Host: {self._target}",
            f"User-Agent: {self._agent}",
        ]
        if self._authorization is not None:
            lines.append(f"Proxy-Authorization: {self._authorization}")
        return "\r\n".join([*lines, "", ""]).encode()

    def receive(self, data: bytes) -> bytes:
        """Take bytes of the answer (empty at the end of the stream); what to write then.

        Raises:
            ProxyError: It has refused, or what it says is not HTTP.
        """
        try:
            answer = self._answer.receive(data) if data else self._answer.end_of_stream()
        except ProtocolError as error:
            raise ProxyError(str(error)) from None
        if isinstance(answer, Head):
            self.is_done = True
            self.rest = answer.rest
        elif answer is not None:
            raise self._refusal(answer)
        elif not data:
            raise ProxyError("it hung up before it had answered")
        return b""

    def refused(self) -> ProxyError | None:
        """The time for the body is over: the refusal, if it is known to be one."""
        answer = self._answer.end_of_stream()
        return None if answer is None else self._refusal(answer)

    def may_try_again(self, error: ProxyError) -> bool:
        """Whether `start` has a better answer to the proxy's challenge now.

        Once at most, and once more if only the proxy's nonce was too old.
        """
        response, username = error.response, self._proxy.username
        is_asked = response is not None and response.status_code in _UNAUTHORIZED
        if not is_asked or username is None:
            return False
        assert response is not None
        challenge = response.get("proxy-authenticate") or response.get("www-authenticate") or ""
        if self._answers > (1 if _is_stale(challenge) else 0):
            return False
        answer = credentials.answer(
            challenge,
            username,
            self._proxy.password or "",
            method=CONNECT,
            uri=self._target,
            cnonce=self._random_bytes(16).hex(),
        )
        if answer is None or answer == self._authorization:
            return False
        self._authorization = answer
        self._answers += 1
        return True

    def _refusal(self, response: Response) -> ProxyError:
        phrase = response.status
        if self._authorization is not None:
            for secret in (self._authorization, self._authorization.partition(" ")[2]):
                phrase = phrase.replace(secret, "***")  # some say what they were asked
        said = f"it answered {response.status_code} {printable(phrase, _LONGEST_PHRASE)}".rstrip()
        if response.status_code in _UNAUTHORIZED:
            if self._proxy.username is None:
                said += "; it wants credentials: put user and password into the proxy's URL"
            else:
                said += "; it does not accept the credentials in the proxy's URL"
        return ProxyError(said, response=response)


def _is_stale(challenge: str) -> bool:
    # RFC 7616 section 3.3: the digest was right, but of a nonce that is no longer valid.
    found = credentials.challenges(challenge)
    return any(item.parameters.get("stale", "").lower() == "true" for item in found)
