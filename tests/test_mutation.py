"""Which mutants count, which survivors may be, and what a run of them comes to."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "mutation"))

from survivors import Change, judge, read, sample

BLOCK = """\
protocol/output.py Output.take
- x = f("big")
+ x = f()
it is
the same
"""
CHANGE = Change("protocol/output.py Output.take", 'x = f("big")', "x = f()")
OTHER = Change("session/reconnecting.py life", "a = 1", "a = 2")


@pytest.mark.parametrize(
    ("old", "new", "left_out"),
    [
        ('raise E("not so")', 'raise E("XXnot soXX")', "words"),
        ('raise E("a b", "not so")', 'raise E("a b", "XXnot soXX")', "words"),
        ('raise E("not so")', 'raise E("NOT SO")', "case"),
        ('raise E("not so")', "raise E(None)", None),
        ('raise E("not so")', "", None),
        ("x = False", "x = None", "false"),
        ("x = f(None, False)", "x = f(None, None)", "false"),
        ("x = False", "x = True", None),
        ("x = Falsehood", "x = None", None),
        ("x = None", 'x = ""', None),
        ('x = "so"', 'x = "XXsoXX"', None),
        ('x = "so"', 'x = "SO"', "case"),
        ('x = ""', 'x = "XXXX"', None),
        ('x = b"GET /"', 'x = b"XXGET /XX"', None),
        ('x = "XXa bXX" + 1', 'x = "XXa bXX" + 2', None),
        ('x = "XXa bXX" + y', 'x = "XXXXa bXXXX" + y', "words"),
    ],
)
def test_words_for_people_letters_case_and_another_false_are_left_out(
    old: str, new: str, left_out: str | None
) -> None:
    assert Change("protocol/output.py take", old, new).left_out == left_out


def test_known_survivors_are_read_as_they_are_printed() -> None:
    assert read(f"# why\n\n{BLOCK}\n\n{OTHER}\nno matter\n") == {
        CHANGE: "it is the same",
        OTHER: "no matter",
    }
    assert read("# nothing\n") == {}


def test_a_removed_line_is_a_change_too() -> None:
    removed = Change("session/reconnecting.py life", 'phase="read",', "")
    assert read(f"{removed}\nwhy\n") == {removed: "why"}


@pytest.mark.parametrize(
    "text",
    [str(CHANGE), "place\nx = 1\n+ x = 2\nwhy", "place\n- x = 1\nwhy\nwhy", BLOCK + "\n" + BLOCK],
)
def test_a_block_without_a_reason_or_twice_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"twice|not a place"):
        read(text)


def test_a_sample_is_the_same_for_a_seed_whatever_else_there_is() -> None:
    mutants = {f"m{number}": Change("a.py f", "x = 1", f"x = {number}") for number in range(100)}
    chosen = sample(mutants, 10, 1)
    assert len(set(chosen)) == 10
    assert chosen == sample(dict(reversed(mutants.items())), 10, 1)
    assert chosen != sample(mutants, 10, 2)
    gone = next(name for name in mutants if name not in chosen)
    assert chosen == sample({name: mutants[name] for name in mutants if name != gone}, 10, 1)
    assert set(sample(mutants, 200, 1)) == set(mutants)


def test_few_survivors_with_reasons_are_good() -> None:
    outcome = judge([(CHANGE, True), *[(OTHER, False)] * 33], [CHANGE], [CHANGE, OTHER])
    assert outcome.is_good
    assert str(outcome).startswith("1 of 34 mutants survived, 2.9% (0 of them without a reason")


def test_three_in_a_hundred_are_too_many() -> None:
    tried = [(CHANGE, True)] * 3 + [(OTHER, False)] * 97
    assert not judge(tried, [CHANGE], [CHANGE, OTHER]).is_good


def test_one_without_a_reason_is_bad_and_printed() -> None:
    outcome = judge([(CHANGE, True), *[(OTHER, False)] * 99], [], [CHANGE, OTHER])
    assert not outcome.is_good
    assert f"a survivor without a reason:\n{CHANGE}\n" in str(outcome)


def test_a_reason_for_no_mutant_is_bad_and_printed() -> None:
    outcome = judge([(OTHER, False)], [CHANGE], [OTHER])
    assert not outcome.is_good
    assert f"survivors.txt names what is no mutant:\n{CHANGE}\n" in str(outcome)


def test_the_list_can_be_read_and_names_only_what_counts() -> None:
    text = (Path(__file__).parents[1] / "mutation" / "survivors.txt").read_text(encoding="utf-8")
    known = read(text)
    assert [change for change in known if change.left_out] == []
    sources = Path(__file__).parents[1] / "src" / "lomond"
    assert [each for each in known if not (sources / each.place.split()[0]).is_file()] == []
