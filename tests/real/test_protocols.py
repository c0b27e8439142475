"""Sub-protocols: each server knows chat.v2 and chat.v1."""

import pytest

from real.endpoints import Endpoint, on_servers


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [(["chat.v2", "chat.v1"], "chat.v2"), (["chat.v3", "chat.v1"], "chat.v1"), ([], None)],
    ids=["both", "second", "none"],
)
@on_servers()
def test_server_picks_a_protocol(
    endpoint: Endpoint, offered: list[str], chosen: str | None
) -> None:
    with endpoint.conversation(protocols=offered) as conversation:
        assert conversation.ready.protocol == chosen
        conversation.close()
