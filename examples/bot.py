"""A chat bot: it joins a room, does what `!commands` ask, and is there again after each end.

Run it with the chat's URL and a room; the environment variable BOT_TOKEN has the bot's token.
"""

import asyncio
import logging
import os
import secrets
import sys
from collections.abc import Awaitable, Callable, Generator
from contextlib import suppress
from typing import Any

from lomond import AsyncWebSocket
from lomond.errors import Refused, WebSocketError

Command = Callable[[str], Awaitable[str]]


async def roll(said: str) -> str:
    """Throw a die: `!roll`, or `!roll 20`."""
    return str(secrets.randbelow(int(said or 6)) + 1)


async def remind(said: str) -> str:
    """Say something later: `!remind 600 tea`."""
    seconds, _, what = said.partition(" ")
    await asyncio.sleep(float(seconds))
    return f"remember: {what}"


COMMANDS: dict[str, Command] = {"!roll": roll, "!remind": remind}


async def bot(websocket: AsyncWebSocket, token: str, room: str) -> None:
    """Serve the room for ever. Raises PermissionError where the chat does not want the bot."""

    def enter(ready: object) -> Generator[Any, Any, None]:
        yield {"type": "login", "token": token}
        answer = yield lambda event: event.name == "text" and event.json["type"] == "login"
        if not answer.json["ok"]:
            raise Refused(answer.json["reason"], final=True)
        yield {"type": "join", "room": room}

    async def obey(function: Command, said: str, number: int) -> None:
        try:
            text = await function(said)
        except Exception as error:  # of the command: the bot lives on
            text = f"that does not work: {error}"
        websocket.post({"type": "say", "room": room, "answers": number, "text": text})

    unsaid: list[Any] = []  # what waits for a connection
    tasks: set[asyncio.Task[None]] = set()
    is_in = False
    async with websocket:
        async for event in websocket.persist(enter=enter, ping_timeout=30, final={401, 403}):
            if event.name == "entered" or event.name == "disconnected":
                is_in = event.name == "entered"
            elif event.name == "posted":
                unsaid.append(event.value)
            elif event.name == "text" and event.json["type"] == "message":
                name, _, said = event.json["text"].partition(" ")
                if name in COMMANDS:
                    task = asyncio.create_task(obey(COMMANDS[name], said, event.json["id"]))
                    tasks.add(task)
                    task.add_done_callback(tasks.discard)
            if is_in and unsaid:
                with suppress(WebSocketError):  # it is lost; the next connection says it
                    await websocket.send_many(unsaid)
                    unsaid.clear()
    raise PermissionError(str(websocket.ending))


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    logging.basicConfig(level=logging.INFO)  # says how each connection begins and ends
    asyncio.run(bot(AsyncWebSocket(sys.argv[1]), os.environ["BOT_TOKEN"], sys.argv[2]))
