"""Which mutants count, which survivors have a reason, and what a run of them comes to.

survivors.txt has a block for each mutant that no test kills, as a run prints it, and then why:

    protocol/frames.py build_close_payload
    - return code.to_bytes(2, "big") + encoded.decode("utf-8", "ignore").encode()
    + return code.to_bytes(2, ) + encoded.decode("utf-8", "ignore").encode()
    "big" is what Python takes where nothing is said.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

#: Of the mutants tried, at most so many may survive, with a reason or without.
MAX_SHARE = 0.03

_XX = re.compile(r'(?P<prefix>\w*)"XX(?P<text>.*?)XX"')


@dataclass(frozen=True)
class Change:
    """What a mutant is, wherever it lies in its file.

    Arguments:
        place: The file below src/lomond, a space, and the function with its class.
        old: The lines that are changed.
        new: Their text in the mutant.
    """

    place: str
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.place}\n- {self.old}\n+ {self.new}"

    @property
    def left_out(self) -> str | None:
        """Why it is not tried, None where it is.

        Words for people (a str with a space in it) are held by tests where they are a promise,
        which is seldom. The other case of a text's letters shows no more than the same text
        between X's, which is tried, or nothing: names of headers and codecs have no case. None
        where False was is as false; True there is tried.
        """
        if self.old != self.new and self.old.lower() == self.new.lower():
            return "case"
        if re.sub(r"\bNone\b", "False", self.new) == re.sub(r"\bNone\b", "False", self.old):
            return "false"
        for found in _XX.finditer(self.new):
            prefix, text = found["prefix"], found["text"]
            is_words = " " in text and "b" not in prefix.lower()
            if is_words and self.old == self.new.replace(found[0], f'{prefix}"{text}"'):
                return "words"
        return None


def read(text: str) -> dict[Change, str]:
    """The known survivors with their reasons.

    Arguments:
        text: Of survivors.txt; blocks apart by empty lines, those of # are comments.

    Raises:
        ValueError: A block is not as it should be, or is there twice.
    """
    known: dict[Change, str] = {}
    for block in re.split(r"\n\s*\n", text.strip()):
        lines = [line.strip() for line in block.splitlines() if not line.startswith("#")]
        if not lines:
            continue
        is_whole = len(lines) > 3 and [line[:1] for line in lines[1:3]] == ["-", "+"]
        if not is_whole:
            raise ValueError(f"not a place, what was, what is, and a reason:\n{block}")
        change = Change(lines[0], lines[1][2:], lines[2][2:])
        if change in known:
            raise ValueError(f"twice:\n{change}")
        known[change] = " ".join(lines[3:])
    return known


def sample(mutants: Mapping[str, Change], size: int, seed: int) -> list[str]:
    """So many names by chance: the same ones for a seed, whatever other mutants come and go.

    Arguments:
        mutants: By their names.
        size: How many.
        seed: Another one gives others.
    """

    def drawn(name: str) -> bytes:
        return hashlib.sha256(f"{seed} {mutants[name]}".encode()).digest()

    return sorted(mutants, key=drawn)[:size]


@dataclass
class Outcome:
    """What a run came to.

    Arguments:
        tried: How many mutants were tried.
        survivors: Those that no test killed.
        known: What survivors.txt has.
    """

    tried: int
    survivors: list[Change]
    known: Collection[Change]
    stale: list[Change]

    @property
    def unnamed(self) -> list[Change]:
        """The survivors that have no reason yet."""
        return [each for each in self.survivors if each not in self.known]

    @property
    def share(self) -> float:
        """The survivors' part of those that were tried."""
        return len(self.survivors) / self.tried

    @property
    def is_good(self) -> bool:
        """Whether few enough survived, each with a reason, and each reason has its mutant."""
        return self.share < MAX_SHARE and not self.unnamed and not self.stale

    def __str__(self) -> str:
        lines = [f"a survivor without a reason:\n{each}\n" for each in self.unnamed]
        lines += [f"survivors.txt names what is no mutant:\n{each}\n" for each in self.stale]
        lines += [
            f"{len(self.survivors)} of {self.tried} mutants survived, {self.share:.1%} "
            f"({len(self.unnamed)} of them without a reason; below {MAX_SHARE:.0%} is asked for)"
        ]
        return "\n".join(lines)


def judge(
    tried: Iterable[tuple[Change, bool]], known: Collection[Change], possible: Collection[Change]
) -> Outcome:
    """What those that were tried say.

    Arguments:
        tried: Each mutant, and whether it survived.
        known: The survivors that have a reason.
        possible: All mutants there are, of which no other may be in `known`.
    """
    every = list(tried)
    return Outcome(
        len(every),
        [change for change, survived in every if survived],
        known,
        [change for change in known if change not in possible],
    )
