"""What is said to a SOCKS proxy, versions 4, 4a, 5 (RFC 1928, RFC 1929): socksio's business.

Here a reply is gathered until it is whole. Driven as tunnel.py says.
"""

from __future__ import annotations

from ipaddress import IPv4Address, ip_address
from typing import TYPE_CHECKING, Any

from ..errors import ProxyError

if TYPE_CHECKING:
    from ..proxies import Proxy

_REPLIES = {
    1: "general SOCKS server failure",
    2: "connection not allowed by ruleset",
    3: "network unreachable",
    4: "host unreachable",
    5: "connection refused",
    6: "TTL expired",
    7: "command not supported",
    8: "address type not supported",
    0x5B: "request rejected or failed",
    0x5C: "request rejected: it can't ask this machine who we are (identd)",
    0x5D: "request rejected: identd names another user",
}


class SocksTunnel:
    """A way through a SOCKS proxy.

    Arguments:
        proxy: Its scheme says the version, and who resolves names.
        host: The server: a name, or an address where it was resolved here.
        port: Its port.
        asked: The name that the user asked for, which needs not be said again.

    Attributes:
        is_done: The proxy has connected us.
        rest: What came behind its answer: the server's first bytes.
        is_reading_body: False: there are none.
    """

    is_reading_body = False

    def __init__(self, proxy: Proxy, host: str, port: int, asked: str = "") -> None:
        import socksio

        self.is_done = False
        self.rest = b""
        self._proxy = proxy
        self._host = host
        self._port = port
        self._asked = asked
        self._received = b""
        self._is_5 = proxy.scheme.startswith("socks5")
        self._expects = "method" if self._is_5 else "reply"
        self._socks: Any = socksio
        self._connection: Any = (
            socksio.SOCKS5Connection() if self._is_5 else socksio.SOCKS4Connection(self._user())
        )

    def _user(self) -> bytes:
        return (self._proxy.username or "").encode()

    def start(self) -> bytes:
        """The first words."""
        socks = self._socks
        if self._is_5:
            methods = [socks.SOCKS5AuthMethod.NO_AUTH_REQUIRED]
            if self._proxy.username is not None:
                methods.append(socks.SOCKS5AuthMethod.USERNAME_PASSWORD)
            return self._say(socks.SOCKS5AuthMethodsRequest(methods))
        where = (self._host, self._port)
        # An address is said as such in 4a too: socksio would send its bytes as a name.
        kind = socks.SOCKS4Request if _is_ipv4(self._host) else socks.SOCKS4ARequest
        return self._say(kind.from_address(socks.SOCKS4Command.CONNECT, where, self._user()))

    def _say(self, request: Any) -> bytes:
        self._connection.send(request)
        return bytes(self._connection.data_to_send())

    def receive(self, data: bytes) -> bytes:
        """Take bytes of the answer (empty at the end of the stream); what to write then.

        Raises:
            ProxyError: It has refused, or what it says is not SOCKS.
        """
        if not data:
            raise ProxyError("it hung up before it had answered")
        self._received += data
        size = self._size()
        if len(self._received) < size:
            return b""
        reply, self._received = self._received[:size], self._received[size:]
        try:
            answer = self._connection.receive_data(reply)
        except self._socks.SOCKSError:
            raise ProxyError(f"its answer is not SOCKS; it starts with {reply[:8]!r}") from None
        words = self._take(answer)
        if self._received:
            # What it says next would answer what we have not said yet.
            raise ProxyError("it answered before it was asked")
        return words

    def _size(self) -> int:
        """How long the reply is, as far as is known."""
        received = self._received
        first = {"method": 5, "password": 1, "reply": 5 if self._is_5 else 0}[self._expects]
        if received[0] != first:
            raise ProxyError(f"its answer is not SOCKS; it starts with {received[:8]!r}")
        if self._expects != "reply":
            return 2
        if not self._is_5:
            return 8
        if len(received) > 1 and received[1]:
            raise self._refusal(received[1])
        if len(received) < 5:
            return 5
        lengths = {1: 4, 3: 1 + received[4], 4: 16}
        return 4 + lengths.get(received[3], 0) + 2

    def _take(self, answer: Any) -> bytes:
        socks = self._socks
        if self._expects == "method":
            if answer.method == socks.SOCKS5AuthMethod.USERNAME_PASSWORD:
                if self._proxy.username is None:
                    raise ProxyError("it wants a password, which was not offered")
                self._expects = "password"
                password = (self._proxy.password or "").encode()
                return self._say(socks.SOCKS5UsernamePasswordRequest(self._user(), password))
            if answer.method != socks.SOCKS5AuthMethod.NO_AUTH_REQUIRED:
                if self._proxy.username is None:
                    raise ProxyError(
                        "authentication failed: it wants credentials: put user and password into "
                        "its URL"
                    )
                raise ProxyError("authentication failed: it takes no credentials of our kind")
            return self._connect()
        if self._expects == "password":
            if not answer.success:
                raise ProxyError(
                    "authentication failed: it does not accept the credentials in its URL"
                )
            return self._connect()
        if not self._is_5 and answer.reply_code != socks.SOCKS4ReplyCode.REQUEST_GRANTED:
            raise self._refusal(answer.reply_code.value[0])
        self.is_done = True
        self.rest, self._received = self._received, b""
        return b""

    def _connect(self) -> bytes:
        socks = self._socks
        self._expects = "reply"
        where = (self._host, self._port)
        return self._say(
            socks.SOCKS5CommandRequest.from_address(socks.SOCKS5Command.CONNECT, where)
        )

    def _refusal(self, code: int) -> ProxyError:
        said = _REPLIES.get(code, "no reason that SOCKS knows")
        if self._host == self._asked:
            return ProxyError(f"it answered: {said} ({code})")
        return ProxyError(f"it could not connect to {self._host}:{self._port}: {said} ({code})")

    def refused(self) -> ProxyError | None:
        """Nothing: a refusal has no body to wait for."""
        return None

    def may_try_again(self, error: ProxyError) -> bool:
        """No: all it may know was said at first."""
        return False


def _is_ipv4(host: str) -> bool:
    try:
        return isinstance(ip_address(host), IPv4Address)
    except ValueError:
        return False
