"""A generator, and a chain, as a server: what they hear, and how a test fails that is not right."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lomond import WebSocket
from lomond.testing import Conversation, Server, Turns, pretend, serve
from lomond.testing.steps import Steps
from testing.kit import DOORS, PLACES, QUIET, SAYS_NOTHING, Act, played, says, through

pytestmark = pytest.mark.parametrize("place", PLACES)
HERE = "test_conversation.py"


def line_of(text: str) -> int:
    """The line of this file that has it and a mark."""
    lines = Path(__file__).read_text(encoding="utf-8").splitlines()
    (found,) = (n for n, line in enumerate(lines, 1) if line.endswith(f"# {text}"))
    return found


def logs_in(peer: Conversation) -> Turns:
    heard = yield peer.hear()
    assert heard.json["op"] == "auth"
    yield peer.say({"op": "auth", "success": True})


def closes_at(word: str, *messages: Any) -> Act:
    """A handler that says this at Ready, and closes when it hears that."""

    def act(websocket: Any, event: Any) -> list[Any] | None:
        if word in getattr(event, "text", ""):
            return None
        return list(messages) if event.name == "ready" else []

    return act


@pytest.mark.parametrize("door", DOORS)
def test_a_conversation(place: str, door: str) -> None:
    with played(place, logs_in) as url:
        found = through(door, url, closes_at("success", {"op": "auth"}))
    assert found.later == ['{"op":"auth","success":true}', "closed", "disconnected"]


def failing(
    place: str, script: Any, act: Act = SAYS_NOTHING, patience: float = 0.2, **options: Any
) -> pytest.ExceptionInfo[BaseException]:
    """What comes out of a block in which the program is right, and the script is not met."""
    limits: Any = {"limit": 600} if place == "world" else {"patience": patience}
    with pytest.raises(AssertionError) as caught, played(place, script, **limits) as url:
        through("sync", url, act, **options)
    return caught


def failing_while_connected(place: str, script: Any) -> str:
    """What is said where the block ends with the program still connected, behind a text."""
    streams: list[Any] = []
    with pytest.raises(AssertionError) as caught, played(place, script) as url:
        streams.append(text_behind(url))
    streams[0].close()
    return str(caught.value)


def text_behind(url: str) -> Any:
    """The events of a connection, those up to a text aside."""
    stream = WebSocket(url).connect(**QUIET)
    assert "text" in (event.name for event in stream)
    return stream


def test_what_the_script_asserts_fails_the_test(place: str) -> None:
    caught = failing(place, logs_in, says({"op": "else"}))
    assert "auth" in str(caught.value)
    assert any(entry.name == "logs_in" for entry in caught.traceback)


def test_a_message_that_does_not_come_because_the_program_closes(place: str) -> None:
    def talk(peer: Conversation) -> Turns:
        yield peer.say("bye")
        yield peer.hear()  # the one in vain

    caught = failing(place, talk, closes_at("bye"))
    assert str(caught.value) == (
        f"{HERE}:{line_of('the one in vain')} waits for a message; "
        "the program closed the connection with 1000 instead"
    )
    assert any(entry.lineno + 1 == line_of("the one in vain") for entry in caught.traceback)


def test_another_message_than_the_expected_one(place: str) -> None:
    def talk(peer: Conversation) -> Turns:
        yield from peer.hear("login")  # of another one

    caught = failing(place, talk, says("logout"))
    assert str(caught.value) == (
        f"{HERE}:{line_of('of another one')} waits for the text 'login'; "
        "the program sent the text 'logout' instead"
    )


def waits_within(peer: Conversation) -> Turns:
    yield from asks_for_more(peer)


def asks_for_more(peer: Conversation) -> Turns:
    yield peer.hear(within=0.1)  # of nothing


def test_nothing_comes_in_time_for_a_script_in_a_script(place: str) -> None:
    caught = failing(place, waits_within)
    assert str(caught.value) == (
        f"{HERE}:{line_of('of nothing')} waits for a message; nothing came within 0.1 seconds"
    )


def test_a_message_that_it_did_not_hear(place: str) -> None:
    def talk(peer: Conversation) -> Turns:  # the deaf one
        yield peer.hear("one")
        yield peer.say("bye")

    caught = failing(place, talk, closes_at("bye", "one", "two", b"3", "4", "5", "6"))
    assert str(caught.value) == (
        f"talk ({HERE}:{line_of('the deaf one')}) did not hear "
        "the text 'two', the binary b'3', the text '4', 2 more"
    )


def test_a_script_that_says_something_to_a_program_that_has_gone(place: str) -> None:
    def talk(peer: Conversation) -> Turns:
        yield peer.say("bye")
        yield from peer.hear_close()
        yield peer.say("more")  # the late one

    caught = failing(place, talk, closes_at("bye"))
    assert str(caught.value) == (
        f"{HERE}:{line_of('the late one')} says the text 'more'; "
        "the program closed the connection with 1000 before"
    )


def test_a_script_that_is_not_at_its_end_when_the_test_is(place: str) -> None:
    def talk(peer: Conversation) -> Turns:
        yield peer.say("bye")
        yield peer.stall(3600)  # the long one

    assert failing_while_connected(place, talk) == (
        f"{HERE}:{line_of('the long one')} stalls for 3600 seconds; the test ended before"
    )


def test_nobody_connects(place: str) -> None:
    with pytest.raises(AssertionError) as caught, played(place, logs_in):
        pass
    assert re.fullmatch(rf"nobody connected to logs_in \({HERE}:\d+\)", str(caught.value))


def test_nobody_connects_to_many(place: str) -> None:
    servers = [Server().hears("login") for _ in range(24)]
    with pytest.raises(AssertionError) as caught, played(place, *servers):
        pass
    assert re.fullmatch(r".* waits for the text 'login'; nobody connected \(24 times\)",
                        str(caught.value))  # fmt: skip


def test_a_connection_that_nobody_expected(place: str) -> None:
    servers = Server().cuts(), Server().cuts()
    match = "a connection that nobody expected|which nobody expected"
    with pytest.raises(AssertionError, match=match), played(place, *servers) as url:
        assert [through("sync", url).names[-1] for _ in range(3)]


def test_what_the_test_raises_has_it_as_a_note(place: str) -> None:
    with pytest.raises(KeyError) as caught, played(place, logs_in):
        raise KeyError
    (note,) = caught.value.__notes__
    assert "nobody connected to logs_in" in note


def test_the_notes_name_the_seed(place: str) -> None:
    with pytest.raises(KeyError) as caught, played(place, Server().misbehaves(seed=7)):
        raise KeyError
    assert "Server().misbehaves(seed=7) was Server()." in caught.value.__notes__[-1]


def test_the_failure_names_the_seed(place: str) -> None:
    server = Server().hears("login").misbehaves(seed=7)
    caught = failing(place, server, says("logout"))
    assert "misbehaves(seed=7)" in "\n".join(caught.value.__notes__)
    server = Server().hears("login").misbehaves()
    words = pytest.raises(AssertionError, match=r"nobody connected\n.*misbehaves\(seed=")
    with words, played(place, server):
        pass


# Chains


def test_a_chain_hears_everything_and_does_not_fail_for_it(place: str) -> None:
    server = Server().says("bye").after(3600).cuts()
    with played(place, server) as url:
        found = through("sync", url, closes_at("bye", "login", b"\0", {"a": 1}))
    assert found.later == ["bye", "closed", "disconnected"]
    assert server.heard == ["login", b"\0", '{"a":1}']
    assert server.close_code == 1000


def test_a_chain_fails_for_what_it_has_waited_for_in_vain(place: str) -> None:
    server = Server().says("bye").hears("login")  # the chain
    caught = failing(place, server, closes_at("bye", "logout"))
    assert str(caught.value) == (
        f"{HERE}:{line_of('the chain')} waits for the text 'login'; "
        "the program sent the text 'logout' instead"
    )


def test_a_chain_fails_for_what_it_would_have_waited_for(place: str) -> None:
    server = (
        Server()
        .says("bye")
        .stalls(3600)  # the stall
        .hears("login")  # in a chain
    )

    assert failing_while_connected(place, server) == (
        f"{HERE}:{line_of('in a chain')} waits for the text 'login'; the test ended before, "
        f"while {HERE}:{line_of('the stall')} stalls for 3600 seconds"
    )


@pytest.mark.parametrize(
    ("expected", "message"),
    [
        (None, "anything"),
        ("é", "é"),
        (b"\0", b"\0"),
        ([1, {"a": 2}], [1, {"a": 2}]),
        ({"a": {"b": 1}}, {"a": {"b": 1, "c": 2}, "d": 3}),
        (lambda heard: heard.name == "text" and len(heard.text) == 3, "abc"),
    ],
)
def test_what_is_expected(place: str, expected: Any, message: Any) -> None:
    server = Server().hears(expected).closes()
    with played(place, server) as url:
        found = through("sync", url, says(message))
    assert found.later == ["closing", "disconnected"]


@pytest.mark.parametrize(
    ("expected", "message", "words"),
    [
        ("é", "e", "the text 'é'"),
        ("a", b"a", "the text 'a'"),
        (b"a", "a", "the binary b'a'"),
        ([1], [1, 2], r"the JSON \[1\]"),
        ({"a": {"b": 1}}, {"a": {"c": 1}}, r"JSON with {'a': {'b': 1}}"),
        ({"a": 1}, [1], r"JSON with {'a': 1}"),
        ({"a": 1}, "no JSON", r"JSON with {'a': 1}"),
        (str.isalpha, "1", "a message that isalpha takes"),
    ],
)
def test_what_is_not_expected(place: str, expected: Any, message: Any, words: str) -> None:
    if expected is str.isalpha:
        given: Any = lambda heard: heard.text.isalpha()  # noqa: E731  # it has no other name
        given.__name__ = "isalpha"
        expected = given
    caught = failing(place, Server().hears(expected), says(message))
    assert re.search(rf"waits for {words}; the program sent .* instead$", str(caught.value))


def test_an_echo_and_pings(place: str) -> None:
    server = Server().pings(b"x").echoes()
    with played(place, server) as url:
        found = through("sync", url, closes_at("bye", "a", b"b", "bye"))
    assert sorted(found.later[:4]) == ["a", "binary", "bye", "ping"]
    assert found.later[4:] == ["closed", "disconnected"]


def test_a_pong_that_does_not_come(place: str) -> None:
    options = {"auto_pong": False}
    caught = failing(place, Server().pings(b"x").cuts(), closes_at("never"), **options)
    assert "waits for the pong to its ping" in "\n".join(
        [str(caught.value), *getattr(caught.value, "__notes__", [])]
    )


def test_pings_are_answered_while_time_passes_and_at_the_end(place: str) -> None:
    pongs: list[Any] = []

    def act(websocket: Any, event: Any) -> list[Any] | None:
        pongs.extend([event.name] if event.name == "pong" else [])
        return [] if len(pongs) < 6 else None

    with played(place, Server().after(0.3).says("a")) as url:
        found = through("sync", url, act, ping_rate=0.1)
    assert found.later.index("a") > found.later.index("pong")
    assert found.later[-2:] == ["closed", "disconnected"]


# The request, and its answer


def test_the_request_and_the_sub_protocol(place: str) -> None:
    server = Server(headers={"Set-Cookie": "a=b"}).negotiates("chat").closes()
    seen: list[Any] = []

    def act(websocket: Any, event: Any) -> list[Any]:
        if event.name == "ready":
            seen.extend([event.protocol, event.response.get("set-cookie")])
        return []

    with played(place, server) as url:
        through("sync", f"{url}feed?x=1", act, protocols=["chat"], headers={"X-Token": "t"})
    assert seen == ["chat", "a=b"]
    assert (server.request.method, server.request.path) == ("GET", "/feed?x=1")
    assert server.request.headers["x-token"] == "t"
    assert len(server.requests) == 1


def test_a_conversation_answers_as_the_request_is(place: str) -> None:
    def talk(peer: Conversation) -> Turns:
        if "x-token" not in peer.request.headers:
            yield peer.refuse(401, body="who are you?")
        else:
            yield peer.accept("chat", {"X-Y": "z"})
            yield peer.say("welcome")
            yield peer.close()

    with played(place, talk) as url:
        found = through("sync", url)
    assert found.later == ["rejected", "disconnected"]
    with played(place, talk) as url:
        found = through("sync", url, protocols=["chat"], headers={"X-Token": "t"})
    assert found.later == ["welcome", "closing", "disconnected"]


def test_an_answer_that_comes_too_late(place: str) -> None:
    def talk(peer: Conversation) -> Turns:
        yield peer.say("a")
        yield peer.refuse(503)  # the second answer

    caught = failing(place, talk)
    assert str(caught.value) == (
        f"{HERE}:{line_of('the second answer')}: the request is answered already; "
        "begin with what answers it"
    )


def test_a_script_without_a_step_accepts_and_stays(place: str) -> None:
    def talk(peer: Conversation) -> Turns:
        yield from ()

    for script in (talk, Server()):
        with played(place, script) as url:
            found = through("sync", url, lambda _, event: None if event.name == "pong" else [],
                            ping_rate=0.05)  # fmt: skip
        # Before the end is heard there may be more of them.
        assert list(dict.fromkeys(found.later)) == ["pong", "closed", "disconnected"]


# What is wrong in a script


@pytest.mark.parametrize(
    ("chain", "words"),
    [
        (lambda: Server().cuts().says("a"), r"says\(\) comes after cuts\(\), which ends"),
        (lambda: Server().hears_close().says("a"), r"says\(\) comes after hears_close\(\)"),
        (lambda: Server().refuses(503).cuts(), r"cuts\(\) comes after refuses\(\)"),
        (lambda: Server().says("a").refuses(503), r"refuses\(\) answers the request; write it"),
        (lambda: Server().closes(1005), "no close frame may carry 1005"),
        (lambda: Server().closes(1000, "x" * 124), "up to 123 bytes"),
        (lambda: Server().refuses(101), "from 200 to 599"),
        (lambda: Server().after(-1), "seconds must be 0 or more"),
        (lambda: Server().stalls(float("inf")), "seconds must be 0 or more"),
        (lambda: Server().reads_slowly(0), "rate must be above 0"),
        (lambda: Server().pings(bytes(126)), "up to 125 bytes"),
        (lambda: Server().floods(0), "count must be 1 or more"),
    ],
)
def test_a_chain_that_can_not_be(place: str, chain: Callable[[], Server], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        chain()


@pytest.mark.parametrize(
    ("chain", "words"),
    [
        (lambda wrong: Server().after(wrong), "seconds must be a number of seconds, not '1'"),
        (lambda wrong: Server().stalls(wrong), "seconds must be a number of seconds, not '1'"),
        (lambda wrong: Steps().hear(within=wrong), "within must be a number of seconds, not '1'"),
        (lambda wrong: Server().refuses(wrong), "status must be a whole number, not '1'"),
        (lambda wrong: Server().closes(wrong), "code must be a whole number, or None .* not '1'"),
        (lambda wrong: Server().hears_close(wrong), "code must be a whole number, .* not '1'"),
        (lambda wrong: Server().closes(1000, wrong.encode()), "reason .* a str, not b'1'"),
        (lambda wrong: Server().floods(wrong), "count must be a whole number, not '1'"),
        (lambda wrong: Server().reads_slowly(wrong), "rate must be a number .*, not '1'"),
        (lambda wrong: pretend(limit=wrong), "limit must be a number of seconds, not '1'"),
        (lambda wrong: serve(Server(), patience=wrong), "patience must be a number of sec.* '1'"),
    ],
)
def test_what_is_no_number(place: str, chain: Callable[[Any], object], words: str) -> None:
    with pytest.raises(TypeError, match=words):
        chain("1")


def test_what_can_be_no_message(place: str) -> None:
    with pytest.raises(TypeError, match="a message must be a str"):
        Server().says(5)  # type: ignore[arg-type]  # that is what is wrong
    with pytest.raises(TypeError, match="what is expected must be"):
        Server().hears(5)  # type: ignore[arg-type]  # that is what is wrong
    with pytest.raises(TypeError, match="a ping carries bytes, not 'x'"):
        Server().pings("x")  # type: ignore[arg-type]  # that is what is wrong


def test_headers_that_are_none(place: str) -> None:
    wrong: Any = ["Server: x"]
    for chain in (lambda: Server(headers=wrong), lambda: Server().refuses(503, headers=wrong)):
        with pytest.raises(TypeError, match="headers must be a mapping of str to str, not list"):
            chain()


def test_a_server_that_is_given_what_is_no_host(place: str) -> None:
    with pytest.raises(TypeError, match="host must be a str, not <function logs_in"):
        Server(logs_in)  # type: ignore[arg-type]  # that is what is wrong


def test_what_is_no_server(place: str) -> None:
    for given in (5, Server, None):
        wrong: Any = given
        with pytest.raises(TypeError, match="a server"), played(place, wrong):
            pass


def is_no_generator(peer: Conversation) -> Any:
    peer.hear()


def yields_a_message(peer: Conversation) -> Any:
    yield "hello"


def forgets_from(peer: Conversation) -> Any:
    yield logs_in(peer)


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (is_no_generator, "is_no_generator .* gave None: a script is a function with 'yield'"),
        (yields_a_message, rf"{HERE}:\d+: a script yields steps .*, not 'hello'; see peer.say"),
        (forgets_from, "not <generator object logs_in.*; write 'yield from' before it"),
    ],
)
def test_a_script_that_is_none_is_told_what_to_write(place: str, script: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words), played(place, script) as url:
        through("sync", url)


def test_a_message_that_is_not_what_the_script_takes_it_for(place: str) -> None:
    def reads_json(peer: Conversation) -> Turns:
        assert (yield peer.hear()).json

    assert "which is no JSON" in str(failing(place, reads_json, says("{")).value)
    caught = failing(place, reads_json, says(b"{}"))
    assert "sent the binary b'{}', not a text" in str(caught.value)
