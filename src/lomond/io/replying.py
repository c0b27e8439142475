"""Has a connection's stream look for the reply to what is about to be sent, in every door."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..session.questions import Questions

if TYPE_CHECKING:
    from ..session.questions import Question
    from .exchange import Exchange


def await_reply(exchange: Exchange, question: Question, deadline: float | None) -> None:
    """Look for the reply, until that moment if it is the stream that tells of it."""

    def add() -> None:
        session = exchange.session
        if session.questions is None:
            session.questions = Questions(session.timers, session.finish, exchange.alone)
        session.questions.add(question, deadline)

    exchange.alone(add)
    exchange.wake()


def withdraw(exchange: Exchange, question: Question) -> bool:
    """Look for it no more; whether it was looked for until now."""
    questions = exchange.session.questions
    return questions is not None and bool(exchange.alone(questions.withdraw, question))
