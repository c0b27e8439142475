"""Write the corpus from real frames and answers: `python fuzz/seeds.py`.

Files of other names, as of findings, stay as they are.
"""

from __future__ import annotations

import sys
import zlib
from pathlib import Path

HERE = Path(__file__).resolve().parent
CORPUS = HERE / "corpus"

ACCEPTED = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: ICX+Yqv66kxgM0FcWaLWlFLwTAI=\r\n"
)


def frame(opcode: int, payload: bytes, *, fin: bool = True, rsv1: bool = False) -> bytes:
    """A frame of a server."""
    first = opcode | (0x80 if fin else 0) | (0x40 if rsv1 else 0)
    size = len(payload)
    head = bytes([first, size]) if size < 126 else bytes([first, 126]) + size.to_bytes(2, "big")
    return head + payload


def packed(payload: bytes) -> bytes:
    """The payload of a compressed message."""
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    return (packer.compress(payload) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]


def piece(payload: bytes) -> bytes:
    """As `Choices.piece` reads it."""
    return bytes([len(payload)]) + payload


def of_frames() -> dict[str, bytes]:
    """Behind a head of five bytes: limits, whether pings go unanswered, three sizes."""
    streams = {
        "text": frame(1, b"hello") + frame(1, "Grüße €".encode()),
        "binary": frame(2, bytes(range(200))),
        "empty": frame(1, b"") + frame(2, b""),
        "fragments": frame(1, b"a", fin=False) + frame(0, b"b", fin=False) + frame(0, b"c"),
        "ping-between": frame(2, b"a", fin=False) + frame(9, b"x") + frame(0, b"c"),
        "split-code-point": frame(1, b"\xe2\x82", fin=False) + frame(0, b"\xac"),
        "half-code-point": frame(1, b"\xe2\x82"),
        "surrogate": frame(1, b"\xed\xa0\x80"),
        "pings": b"".join(frame(9, b"%d" % n) for n in range(9)) + frame(10, b""),
        "close": frame(8, b"\x03\xe8bye") + frame(1, b"late"),
        "close-empty": frame(8, b""),
        "close-short": frame(8, b"x"),
        "close-reserved": frame(8, b"\x03\xed"),
        "close-not-utf8": frame(8, b"\x03\xe8\xff"),
        "masked": b"\x81\x85\x00\x00\x00\x00hello",
        "reserved-bits": b"\xb1\x00",
        "reserved-opcode": b"\x83\x00",
        "rsv1": frame(1, packed(b"hello"), rsv1=True),
        "long-control": b"\x89\x7e\x00\x80" + bytes(128),
        "fragmented-control": b"\x09\x00",
        "nothing-to-continue": frame(0, b"x"),
        "interleaved": frame(1, b"a", fin=False) + frame(1, b"b"),
        "not-shortest": b"\x81\x7e\x00\x05hello",
        "not-shortest-64": b"\x82\x7f" + (200).to_bytes(8, "big") + bytes(200),
        "huge": b"\x82\x7f" + b"\x7f" + b"\xff" * 7,
        "too-huge": b"\x82\x7f" + b"\xff" * 8,
        "large-start": b"\x82\x7f" + (100_000).to_bytes(8, "big") + bytes(300),
        "large-text": b"\x01\x7f" + (90_000).to_bytes(8, "big") + b"x" * 300,
        "header-only": b"\x81",
        "many-fragments": frame(2, b"", fin=False) + frame(0, b"", fin=False) * 8,
    }
    heads = (bytes([0, 0, 2, 7, 40]), bytes([1, 0, 0, 0, 0]), bytes([2, 1, 63, 1, 9]),
             bytes([5, 0, 30, 0, 3]))  # fmt: skip
    return {
        name: heads[number % len(heads)] + stream
        for number, (name, stream) in enumerate(streams.items())
    }


def of_messages() -> dict[str, bytes]:
    """Behind a head of ten bytes: what was negotiated, and three sizes."""
    raw = [(0, frame(1, packed(b"hello"), rsv1=True)), (0, frame(2, b"plain"))]
    texts = {
        "raw": b"".join(bytes([kind]) + piece(stream) for kind, stream in raw),
        "broken": bytes([1, 0, 0]) + piece(b"\xff\xff\xff") + b"\x01",
        "final-block": bytes([1, 1, 0]) + piece(bytes.fromhex("f348cdc9c9070000")) + b"\x01",
        "two-final-blocks": bytes([1, 1, 0])
        + piece(bytes.fromhex("f348cdc9c90700f348cdc9c9070000"))
        + b"\x01",
        "stored": bytes([1, 1, 0]) + piece(b"\x00\x05\x00\xfa\xffhello\x00") + b"\x01",
        "not-utf8": bytes([1, 0, 0]) + piece(packed(b"\xff\xfe")) + b"\x01",
        "opened-fragment": bytes([1, 0, 1]) + piece(packed(b"hello")) + b"\x01",
        "ping-with-rsv1": bytes([1, 3, 0]) + piece(b"x") + b"\x01",
        "continued-with-rsv1": bytes([1, 1, 1]) + piece(b"x") + b"\x01"
        + bytes([1, 2, 0]) + piece(b"y") + b"\x01",
        "messages": b"".join(
            bytes([2]) + piece(b"price 1.%d volume 200" % n) + bytes([0, n % 2, n % 4])
            for n in range(6)
        ),
        "bomb": bytes([2]) + piece(bytes(200)) + bytes([5, 0, 0]),
        "at-the-limit": bytes([2]) + piece(b"x" * 100) + bytes([4, 0, 3]),
        "empty": bytes([2]) + piece(b"") + bytes([0, 0, 0]) + bytes([2]) + piece(b"")
        + bytes([0, 1, 2]),
        "mixed": bytes([2]) + piece(b"abc") + bytes([3, 0, 2]) + bytes([3, 0]) + piece(b"ping")
        + bytes([4]) + piece(b"plain") + bytes([4]),
    }  # fmt: skip
    heads = (bytes([0, 0, 0, 0, 0, 0, 0, 3, 9, 50]), bytes([2, 1, 1, 1, 1, 1, 1, 0, 0, 0]),
             bytes([3, 0, 0, 1, 3, 2, 2, 11, 1, 30]))  # fmt: skip
    return {
        f"{name}-{number}": head + text
        for name, text in texts.items()
        for number, head in enumerate(heads)
    }


def of_upgrade() -> dict[str, bytes]:
    """What is tried; for an answer: which request, which limit, three sizes."""
    answers = {
        "accepted": ACCEPTED + b"\r\n" + frame(1, b"hi"),
        "deflate": ACCEPTED + b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
        "protocol": ACCEPTED + b"Sec-WebSocket-Protocol: chat\r\n\r\n",
        "wrong-accept": ACCEPTED.replace(b"ICX", b"icx") + b"\r\n",
        "two-accepts": ACCEPTED + b"Sec-WebSocket-Accept: x\r\n\r\n",
        "no-upgrade": ACCEPTED.replace(b"websocket", b"h2c") + b"\r\n",
        "keep-alive": ACCEPTED.replace(b": Upgrade", b": keep-alive, Upgrade") + b"\r\n",
        "folded": ACCEPTED + b"X-Long: a\r\n  b\r\n\r\n",
        "bare-newlines": ACCEPTED.replace(b"\r\n", b"\n") + b"\n",
        "http-1.0": ACCEPTED.replace(b"/1.1", b"/1.0") + b"\r\n",
        "early-hints": b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\n" + ACCEPTED + b"\r\n",
        "many-interim": b"HTTP/1.1 100 C\r\n\r\n" * 9,
        "not-found": b"HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nnone",
        "chunked": b"HTTP/1.1 500 X\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        "bad-chunk": b"HTTP/1.1 500 X\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcdef\r\n",
        "until-the-end": b"HTTP/1.0 403 No\r\n\r\nno length",
        "two-lengths": b"HTTP/1.1 403 No\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "challenge": b"HTTP/1.1 401 U\r\nWWW-Authenticate: Digest realm=\"a\", nonce=\"b\", "
        b"qop=\"auth\"\r\nContent-Length: 0\r\n\r\n",
        "redirect": b"HTTP/1.1 302 F\r\nLocation: wss://b.example/x\r\n"
        b"Set-Cookie: a=b; Path=/\r\nContent-Length: 0\r\n\r\n",
        "tls": b"\x15\x03\x03\x00\x02\x02\x28",
        "not-http": b"SSH-2.0-OpenSSH_9.6\r\n",
    }  # fmt: skip
    others = {
        "challenge-digest": b"\x01Digest realm=\"r\", nonce=\"n\\\"x\", algorithm=SHA-256-sess, "
        b"opaque=\"o\", qop=\"auth,auth-int\"",
        "challenge-several": b"\x01Negotiate, Basic realm=x, Digest realm=\"y\", nonce=z",
        "challenge-token": b"\x01NTLM TlRMTVNTUAACAAAA==, Bearer error=\"x",
        "cookie": b"\x02sid=abc; Path=/x; HttpOnly; Secure\nlang=de; Max-Age=100",
        "cookie-domain": b"\x02a=b; Domain=.example.org; Expires=Wed, 09 Jun 2100 10:18:14 GMT",
        "cookie-elsewhere": b"\x02a=b; Domain=.other.test; Version=-1\na=b; Domain=.test",
        "cookie-times": b"\x02a=b; Max-Age=" + b"9" * 70 + b"\na=b; Expires=Mon, 99 Feb 0000",
        "cookie-no-month": b"\x02a=b; Expires=Wed, 09 Jux 2100 10:18:14 GMT",
        "cookie-no-time": b"\x02a=b; Max-Age; Expires",
        "cookie-odd": b"\x02=; ;;Version=-1; Port=\"80\"; a=\"b;c\"",
        "redirect-relative": b"\x03../y?z=1",
        "redirect-absolute": b"\x03https://b.example:8443/%zz",
        "redirect-ipv6": b"\x03//[fe80::1]:8080/",
        "redirect-user": b"\x03wss://user:pass@b.example/#x",
        "redirect-odd": b"\x03http:///\\evil",
        "redirect-bracket": b"\x03//[?a=1",
        "extension": b"\x04permessage-deflate; client_max_window_bits=11; server_max_window_bits"
        b"=\"12\"; server_no_context_takeover; client_no_context_takeover",
        "extension-odd": b"\x04permessage-deflate; x=\"a\\\"b\", , foo;;",
    }  # fmt: skip
    heads = (bytes([0, 1, 0, 0, 5, 30]), bytes([0, 2, 1, 63, 2, 0]))
    return others | {
        name: heads[number % 2] + answer for number, (name, answer) in enumerate(answers.items())
    }


def of_session() -> dict[str, bytes]:
    """How the session is set, what the user does, and what the peer does."""
    plain = bytes(13) + b"\x01"
    quick = bytes([2, 2, 2, 0, 1, 1, 1, 1, 0, 0, 0, 0, 0, 1])
    polls = bytes([3, 2, 1, 1, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1])
    users = {
        "idle": b"\x00",
        "sends": b"\x00" + bytes([13, 13]) + bytes([0]) + piece(b"hi") + bytes([1]) + piece(b"p"),
        "closes": b"\x00" + bytes([13, 13, 3]),
        "closes-later": b"\x01" + bytes([4, 0, 5]) + piece(b""),
        "early": bytes([0, 0]) + piece(b"early"),
        "sticks": b"\x00" + bytes([13, 13, 7, 0]) + piece(b"stuck"),
        "leaves": b"\x00" + bytes([13, 13, 13, 15]),
        "spends": b"\x00" + bytes([13, 13, 14, 6]),
    }
    upgraded = bytes([0, 0]) + piece(b"")
    peers = {
        "talks": upgraded + bytes([0, 0, 0, 1, 0, 2, 0, 5, 0, 6]),
        "closes": upgraded + bytes([0, 0, 0, 3]),
        "silent": upgraded + bytes([2, 7, 2, 7, 2, 7]),
        "breaks": upgraded + bytes([1]) + piece(b"\xff\xff") + bytes([0, 0]),
        "hangs-up": upgraded + bytes([5, 1]),
        "half": upgraded + bytes([0, 7, 2, 7]),
        "compresses": bytes([0, 1]) + piece(b"") + bytes([0, 8, 0, 8]),
        "glued": bytes([0, 0]) + piece(frame(1, b"glued") + frame(9, b"")) + bytes([3, 3]),
        "refuses": bytes([1, 1, 4, 0]),
        "redirects": bytes([1, 1, 4, 1]),
        "no-http": bytes([1, 0, 1]) + piece(b"SSH-2.0\r\n"),
    }
    found: dict[str, bytes] = {}
    heads = (plain, quick, polls)
    for number, (who, user) in enumerate(users.items()):
        for what, peer in peers.items():
            if what in ("talks", "closes", "silent") or number == 0:
                head = heads[len(found) % len(heads)]
                found[f"{who}-{what}"] = head + piece(user) + piece(peer) + peers["talks"]
    # Nothing is taken after 1 s, pings come, we close after 2.5 s, all is taken after 7 s.
    sticks = bytes([3, 3, 0, 7, 0, 4, 0, 3, 0, 5, 0, 8, 0])
    pings = upgraded + bytes([2, 3, 0, 1, 2, 2, 0, 1, 0, 1, 2, 6])
    found["sticks-pings-closes"] = plain + piece(sticks) + piece(pings)
    found["sticks-pings"] = plain + piece(bytes([2]) + sticks[1:5] + sticks[9:]) + piece(pings)
    found["sticks-for-ever"] = plain + piece(bytes([2]) + sticks[1:9]) + piece(pings)
    return found


def of_proxies() -> dict[str, bytes]:
    """What is tried; for a proxy's words: scheme, host, whether with credentials, three sizes."""
    http = bytes([0, 0, 0, 1, 2, 9, 40])
    socks5 = bytes([0, 1, 0, 1, 0, 1, 63])
    socks4 = bytes([0, 4, 0, 0, 2, 2, 2])
    ok = b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"
    return {
        "http-ok": http + b"HTTP/1.1 200 OK\r\n\r\nrest",
        "http-407": http + b"HTTP/1.1 407 P\r\nProxy-Authenticate: Digest realm=\"r\", "
        b"nonce=\"n\", qop=\"auth\"\r\nContent-Length: 2\r\n\r\nno",
        "http-503": http + b"HTTP/1.0 503 Busy\r\n\r\nbusy",
        "http-100": http + b"HTTP/1.1 100 C\r\n\r\nHTTP/1.1 204 N\r\n\r\n",
        "http-cut": http + b"HTTP/1.1 200",
        "http-tls": http + b"\x15\x03\x01\x00\x02\x02\x46",
        "socks5-ok": socks5 + b"\x05\x00",
        "socks5-user": socks5 + b"\x05\x02",
        "socks5-refused": socks5 + b"\x05\xff",
        "socks5-all": socks5 + b"\x05\x00" + ok + b"rest",
        "socks5-name": socks5 + b"\x05\x00\x05\x00\x00\x03\x04name\x00\x50",
        "socks5-ipv6": socks5 + b"\x05\x02\x01\x00\x05\x00\x00\x04" + bytes(18),
        "socks5-unreachable": socks5 + b"\x05\x00\x05\x04\x00\x01" + bytes(6),
        "socks4-ok": socks4 + b"\x00\x5a" + bytes(6) + b"rest",
        "socks4-refused": socks4 + b"\x00\x5b" + bytes(6),
        "url-http": b"\x01http://user:pa%20ss@proxy.example:3128",
        "url-socks": b"\x01socks5h://[2001:db8::1]:1080/",
        "url-bare": b"\x01proxy:8080",
        "url-odd": b"\x01https://a@b@c:99999/?x#y",
        "url-unicode": "\x01http://bücher.example".encode(),
        "no-proxy": b"\x02" + piece(b"a.example.org") + b"\x00.example.org, 10.0.0.0/8 *",
        "no-proxy-ip": b"\x02" + piece(b"10.1.2.3") + b"\x0010.0.0.0/8,[::1]:80,::ffff:0:0/96",
        "no-proxy-ipv6": b"\x02" + piece(b"[fe80::1%1]") + b"\x01fe80::/10 [fe80::1]:443",
        "environment": b"\x03\x00" + piece(b"http://p:1") + b"\x04" + piece(b"b.example"),
        "environment-bad": b"\x03\x02" + piece(b"ftp://p") + b"\x03" + piece(b""),
    }  # fmt: skip


def main() -> int:
    """Write all files."""
    made = {
        "frames": of_frames(),
        "messages": of_messages(),
        "upgrade": of_upgrade(),
        "session": of_session(),
        "proxies": of_proxies(),
    }
    for target, files in made.items():
        folder = CORPUS / target
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            (folder / name).write_bytes(data)
        print(f"{target}: {len(files)} files, {sum(map(len, files.values()))} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
