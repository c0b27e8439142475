"""That the credentials for a proxy are told to nobody but the proxy."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable

from lomond.events import Event


def assert_discreet(told: Iterable[object], user: str, password: str) -> None:
    """No event, record or text of these tells the password, in whatever form a proxy gets it."""
    if not password:
        return
    text = "\n".join(line for thing in told for line in _lines(thing))
    pair = f"{user}:{password}"
    quoted = "".join(one if one.isalnum() else f"%{ord(one):02X}" for one in password)
    forms = [password, quoted, b64encode(pair.encode()).decode()]
    assert [form for form in forms if form in text] == [], text


def _lines(thing: object) -> Iterable[str]:
    yield repr(thing)
    yield str(thing)
    if not isinstance(thing, Event):
        return
    for name in ("reason", "proxy", "address"):
        yield str(getattr(thing, name, None))
    error: BaseException | None = getattr(thing, "cause", None)
    while error is not None:
        yield repr(error)
        error = error.__cause__ or error.__context__
