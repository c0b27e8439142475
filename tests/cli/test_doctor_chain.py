"""lomond doctor: the chain of certificates, as it was sent and as it was found."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import trustme

from cli.doctor_servers import Examined, answers, certified, chained, examine
from doors.raw_server import echo, raw_server
from lomond.cli.doctor import chain, talk
from lomond.system.tls import make_context
from patience import PATIENCE

Printed = pytest.CaptureFixture[str]
#: Of a certificate: whether it was sent, is used, and is a root.
OWN, ABOVE, BESIDES = (True, True, False), (True, True, False), (True, False, False)
FOUND, SENT_ROOT = (False, True, True), (True, True, True)


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine makes no server slow."""
    monkeypatch.setattr(talk, "SLOW_CLOSE", PATIENCE)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def cafile(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


def links(done: Examined) -> list[tuple[bool, bool, bool]]:
    """Of each certificate of the chain whether it was sent, is used, and is a root."""
    return [(one["sent"], one["used"], one["root"]) for one in done.of("chain")["chain"]]


def test_a_chain_that_leads_to_who_is_trusted(
    capsys: Printed, authority: trustme.CA, cafile: Path
) -> None:
    between = authority.create_child_ca()
    leaf = between.issue_cert("127.0.0.1", common_name="the \x1b[31m leaf")
    with raw_server(echo, context=chained(leaf, between, trustme.CA())) as server:
        done = examine(capsys, server.url, "--ca", cafile)
    found = done.of("chain")
    assert (done.status, found["result"]) == (0, "ok")
    assert links(done) == [OWN, ABOVE, FOUND, (True, False, True)]
    own, above, root, _ = found["chain"]
    assert own["subject"].startswith("the \\x1b[31m leaf, trustme")
    assert own["issuer"] == above["subject"]
    assert above["issuer"] == root["subject"] == root["issuer"]
    assert {one["until"] for one in found["chain"]} == {"3000-01-01T00:00:00+00:00"}
    name, end = r"Testing CA \S+, trustme \S+", r"until 3000-01-01"
    assert re.fullmatch(
        rf"the \\x1b\[31m leaf, trustme \S+ \({end}\), issued by {name} \({end}\), "
        rf"issued by {name} \({end}, found here\), issued by itself; "
        rf"sent besides: {name} \({end}\)",
        found["measured"],
    )


def test_an_intermediate_that_is_not_sent(
    capsys: Printed, authority: trustme.CA, cafile: Path
) -> None:
    between = authority.create_child_ca()
    leaf = between.issue_cert("127.0.0.1")
    with raw_server(echo, context=chained(leaf)) as server:
        done = examine(capsys, server.url, "--ca", cafile)
    issuer = done.of("chain")["chain"][0]["issuer"]
    assert (done.of("chain")["result"], links(done)) == ("warn", [OWN])
    assert done.of("chain")["measured"].endswith(f" ({issuer}: neither sent, nor found here)")
    assert f"if {issuer} is an intermediate" in done.of("chain")["advice"]
    failed = done.worst()
    assert (done.status, failed["check"]) == (3, "certificate")
    assert f"does not send the certificate of {issuer}, who has issued its own" in failed["advice"]
    assert "have the server send its whole chain" in failed["advice"]


@pytest.mark.parametrize("sends_root", [False, True])
def test_a_chain_that_leads_to_nobody_who_is_trusted(capsys: Printed, sends_root: bool) -> None:
    root = trustme.CA()
    between = root.create_child_ca()
    above = (between, root) if sends_root else (between,)
    with raw_server(echo, context=chained(between.issue_cert("127.0.0.1"), *above)) as server:
        done = examine(capsys, server.url)
    failed, found = done.worst(), done.of("chain")
    assert (done.status, failed["check"]) == (3, "certificate")
    assert links(done) == [OWN, ABOVE, SENT_ROOT][: 2 + sends_root]
    above_all = found["chain"][-1]["issuer"]
    if sends_root:
        assert found["result"] == "ok"
        assert f"leads to {above_all}, whom this machine does not trust" in failed["advice"]
    else:
        assert found["result"] == "warn"
        whose = f"that of {found['chain'][1]['subject']}"
        assert f"certificate of {above_all}, who has issued {whose}" in failed["advice"]
    assert "--ca FILE" in failed["advice"]


def test_the_wrong_intermediate(capsys: Printed, authority: trustme.CA, cafile: Path) -> None:
    leaf = authority.create_child_ca().issue_cert("127.0.0.1")
    with raw_server(echo, context=chained(leaf, authority.create_child_ca())) as server:
        done = examine(capsys, server.url, "--ca", cafile)
    assert (done.status, links(done)) == (3, [OWN, BESIDES])
    assert "sent besides: " in done.of("chain")["measured"]
    assert "who has issued its own" in done.worst()["advice"]


@pytest.mark.parametrize(("days", "result"), [(13, "warn"), (15, "ok")])
def test_an_intermediate_that_expires_soon(
    capsys: Printed,
    monkeypatch: pytest.MonkeyPatch,
    authority: trustme.CA,
    cafile: Path,
    days: int,
    result: str,
) -> None:
    with monkeypatch.context() as meanwhile:  # it has no argument for that
        meanwhile.setattr(trustme, "DEFAULT_EXPIRY", datetime.now(UTC) + timedelta(days))
        between = authority.create_child_ca()
    with raw_server(echo, context=chained(between.issue_cert("127.0.0.1"), between)) as server:
        done = examine(capsys, server.url, "--ca", cafile)
    assert (done.status, done.of("chain")["result"]) == (0, result)
    assert ("expires within 14 days" in done.of("chain")["advice"]) == (result == "warn")


def test_a_chain_that_is_not_looked_at(capsys: Printed) -> None:
    between = trustme.CA().create_child_ca()
    with raw_server(echo, context=chained(between.issue_cert("127.0.0.1"))) as server:
        done = examine(capsys, server.url, "--insecure")
    assert (done.of("chain")["result"], links(done)) == ("ok", [OWN])


@pytest.mark.parametrize("way", ["get_unverified_chain", "_sslobj"])
def test_a_python_that_tells_no_chain(
    capsys: Printed, monkeypatch: pytest.MonkeyPatch, authority: trustme.CA, cafile: Path, way: str
) -> None:
    def look(seen: chain.Seen, tls: Any) -> None:
        ours(seen, object() if way == "_sslobj" else SimpleNamespace(_sslobj=object()))

    ours = chain.Seen.look
    monkeypatch.setattr(chain.Seen, "look", look)
    with raw_server(echo, context=certified(authority, "127.0.0.1")) as server:
        done = examine(capsys, server.url, "--ca", cafile)
        assert (done.status, done.results()) == (0, {"ok"})
        assert done.of("chain")["measured"] == "not told by this Python"
        assert done.of("chain")["chain"] == []
        failed = examine(capsys, server.url).worst()
    assert "if it is a public one, the server does not send its chain" in failed["advice"]


def test_the_chain_of_where_it_was_sent_on_to(
    capsys: Printed, authority: trustme.CA, cafile: Path
) -> None:
    own = authority.issue_cert("me.example")
    mine = cafile.with_name("me.pem")
    mine.write_bytes(own.private_key_and_cert_chain_pem.bytes())
    between = authority.create_child_ca()
    with raw_server(echo, context=chained(between.issue_cert("127.0.0.1"), between)) as end:
        moved = answers(b"HTTP/1.1 302 Found\r\nLocation: " + end.url.encode() + b"\r\n")
        context = certified(authority, "127.0.0.1")
        with raw_server(moved, context=context, upgrades=False) as server:
            more = ["--max-redirects", 1, "--cert", mine]
            done = examine(capsys, server.url, "--ca", cafile, *more)
    assert (done.status, links(done)) == (0, [OWN, ABOVE, FOUND])


def test_contexts_are_left_as_they_were(
    capsys: Printed, authority: trustme.CA, cafile: Path
) -> None:
    context = make_context(True, str(cafile))
    before = context.sslobject_class
    with raw_server(echo, context=certified(authority, "127.0.0.1")) as server:
        assert len(examine(capsys, server.url, "--ca", cafile).of("chain")["chain"]) == 2
    assert make_context(True, str(cafile)) is context
    assert context.sslobject_class is before
