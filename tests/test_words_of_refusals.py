"""What a refusal's body says beside its status, in one line for people."""

from __future__ import annotations

import time

import pytest

from lomond import Ending
from lomond.response import Response, own_words

NGINX = (
    b"<html>\r\n<head><title>%s</title></head>\r\n<body>\r\n<center><h1>%s</h1></center>\r\n"
    b"<hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n"
)
APACHE = b"""<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">
<html><head>
<title>404 Not Found</title>
</head><body>
<h1>Not Found</h1>
<p>The requested URL was not found on this server.</p>
</body></html>
"""
EXPRESS = b"<html>\n<head>\n<title>Error</title>\n</head>\n<body>\n<pre>Cannot GET /chat</pre>\n"
PAGE = b"<html><head><style>a {b: c}</style></head><body>no<script>if (1 < 2) f()</script> go"


def words(status: str, body: bytes, server: bytes = b"") -> str:
    head = f"HTTP/1.1 {status}\r\n".encode() + (server and b"Server: " + server + b"\r\n")
    return own_words(Response(head + b"\r\n", body=body))


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        ("404 Not Found", b"", ""),
        ("404 Not Found", b"Not Found", ""),
        ("404 Not Found", b"404: Not Found", ""),
        ("404 Not Found", b"404 page not found\n", "page not found"),
        ("500 Internal Server Error", b"500 Internal Server Error\n\nIn trouble", "In trouble"),
        ("500", b"500 Internal Server Error", "Internal Server Error"),
        ("400 Bad Request", b"Bad Request: no token\r\n", "no token"),
        ("400 Bad", b"Badly asked", "Badly asked"),
        ("400 Bad Request", b"4000 bytes", "4000 bytes"),
        ("400 Bad Request", b'{"error": "no token"}', '{"error": "no token"}'),
        ("403 Forbidden", NGINX % (b"403 Forbidden", b"403 Forbidden"), ""),
        (
            "400 Bad Request",
            NGINX % (b"400 No required SSL certificate was sent", b"400 Bad Request"),
            "No required SSL certificate was sent",
        ),
        ("404 Not Found", APACHE, "The requested URL was not found on this server."),
        ("404 Not Found", EXPRESS, "Cannot GET /chat"),
        ("200 OK", b"<title>Caf&eacute; &lt;b></title>", "Café <b>"),
        ("200 OK", b"<!doctype html><title>Welcome</title><div id=root></div>", "Welcome"),
        ("403 No", b"<html><body><h1>403 No</h1>\nBy rules.\n</body>", "By rules."),
        ("403 Forbidden", PAGE, "no go"),
    ],
)
def test_what_is_said(status: str, body: bytes, said: str) -> None:
    assert words(status, body, b"nginx/1.22.1") == said


def test_without_the_servers_name_nothing_is_left_out() -> None:
    assert words("403 Forbidden", NGINX % (b"403 Forbidden", b"403 Forbidden")) == "nginx/1.22.1"


def test_the_line_for_people() -> None:
    response = Response(b"HTTP/1.1 403 No\r\n\r\n", body=b"<p>\x1b[2J" + b"x" * 5000)
    ending = Ending("rejected", "server", status=403, response=response, detail="no")
    said = str(ending)
    assert said.startswith(
        r"the server's answer to the upgrade is not right: no; it said '\x1b[2Jxxx"
    )
    assert said.isprintable()
    assert len(said) < 200


@pytest.mark.parametrize(
    "body", [b"<" * 65536, b"<head" * 13000, b"<title" * 10000, b"<script>" * 8000, b".: " * 20000]
)
def test_no_body_takes_long(body: bytes) -> None:
    began = time.process_time()
    words("404 ..", body)
    assert time.process_time() - began < 5


def test_words_that_are_cut_say_so() -> None:
    """So that who hides secrets looks there for what is left of one."""
    assert words("403 Forbidden", b" " * 4089 + b"no hunter2secret") == "no hunt..."
    assert words("403 Forbidden", b"<html>" + b"<p>" * 1361 + b"no hunter2secret") == "no hunt..."
    assert words("403 Forbidden", b" " * 4080 + b"no hunter2secret") == "no hunter2secret"
    assert words("403 Forbidden", b" " * 5000) == ""
    assert words("403 Forbidden", b"<title>No entry</title>" + b" " * 5000) == "No entry"
