"""The tests' door."""

from __future__ import annotations

import pytest

from doors.every_door import DOORS


@pytest.fixture(autouse=True)
def door(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """By which the module's tests come in, under the name of the synchronous one."""
    name: str = getattr(request, "param", "sync")
    if name != "sync":
        monkeypatch.setattr(request.module, "WebSocket", DOORS[name])
    return name
