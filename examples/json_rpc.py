"""A JSON-RPC client: calls a server's methods over one connection, many at a time.

In the loop over its events, or in any other task: `print(await rpc.call("eth_blockNumber"))`.
Run it with a URL, a method, and its arguments as JSON.
"""

import asyncio
import itertools
import json
import sys
from typing import Any

from lomond import AsyncWebSocket

numbers = itertools.count(1)


class JsonRpc(AsyncWebSocket):
    """A connection to a server of JSON-RPC 2.0; its notifications are the events `text`."""

    async def call(self, method: str, *params: Any) -> Any:
        """What the method gives. Raises NoReply where none comes, RuntimeError for an error."""
        number = next(numbers)
        request = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        answer: Any = await self.ask(request, reply=("id", number), within=10)
        if "error" in answer.json:
            raise RuntimeError(f"{method}: {answer.json['error']}")
        return answer.json["result"]


async def main(url: str, method: str, *params: str) -> None:
    """Print what one call gives. Raises ConnectionFailed where there is no connection."""
    async with JsonRpc(url) as rpc:
        async for event in rpc:
            if event.name == "ready":
                print(await rpc.call(method, *map(json.loads, params)))
                return
    assert rpc.ending is not None
    rpc.ending.raise_for_failure()


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    asyncio.run(main(*sys.argv[1:]))
