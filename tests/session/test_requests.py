"""What a script asks for, and how it fails."""

from __future__ import annotations

from lomond.session.requests import Failed


def test_a_failure_says_its_words_or_its_cause() -> None:
    assert str(Failed(OSError("cause"), 0.0)) == "cause"
    failure = Failed(OSError("cause"), 0.0, "a:1", "more")
    assert (str(failure), failure.said, failure.address) == ("more", "more", "a:1")
