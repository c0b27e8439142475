"""What is told of an end, without what varies; for golden files."""

from __future__ import annotations

import re

from lomond import Ending

_VARIES = [
    (re.compile(r"after [\d.e-]+ s(?! \()"), "after N s"),
    (re.compile(r"said for [\d.e-]+ s: typical"), "said for N s: typical"),
    (re.compile(r"of the \d+ that it may"), "of the N that it may"),
    (re.compile(r"#[\w-]+"), "#N"),  # of a certificate's names
    (re.compile(r"trustme v[\d.]+"), "trustme"),
]
#: What the peer has put into words, which is another with its next version.
_THEIRS = [
    (re.compile(r"it said '.*?'(?=;|\n)"), "it said '...'"),
    (re.compile(r"(with \d{4}) '.*?'(?= after)"), r"\1 '...'"),
    (re.compile(r", text ['\"].*?['\"](?=[,)])"), ", text '...'"),
]


def told(ending: Ending, *ports: int) -> str:
    """The line for people, and what else a program is told.

    Arguments:
        ending: Which.
        ports: That were chosen for this one.
    """
    facts = {
        "code": ending.code,
        "text": ending.reason,
        "status": ending.status,
        "phase": ending.phase,
        "deadline": ending.deadline,
        "cause": type(ending.cause).__name__ if ending.cause else None,
        "unconfirmed": bool(ending.unconfirmed),
    }
    said = "".join(f", {name} {value!r}" for name, value in facts.items() if value)
    failed = "" if ending.is_failure else ", no failure"
    text = f"{ending}\n    ({ending.kind} by {ending.by}{failed}{said})"
    for pattern, shown in _VARIES:
        text = pattern.sub(shown, text)
    for port in ports:
        text = text.replace(f":{port}", ":PORT")
    return text


def ours(text: str) -> str:
    """What is told, without the words of the peer."""
    for pattern, shown in _THEIRS:
        text = pattern.sub(shown, text)
    return text


def by_name(text: str) -> dict[str, str]:
    """What a golden file says of each end."""
    parts = text.strip().split("\n\n")
    return {name: text for name, _, text in (part.partition(":\n") for part in parts)}


def golden(texts: dict[str, str]) -> str:
    """The golden file that says that."""
    return "\n\n".join(f"{name}:\n{text}" for name, text in texts.items()) + "\n"
