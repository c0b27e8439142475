"""The device gateway, in a pretend world."""

from __future__ import annotations

import json
from typing import Any

import pytest

from examples.loaded import example
from lomond import WebSocket
from lomond.testing import Server, World, pretend

CLOUD = "cloud.example"


def run(*servers: Server) -> World:
    devices = {name: f"ws://{name}.example/" for name in ("lamp", "door")}
    gateway = example("gateway").Gateway(WebSocket(f"wss://{CLOUD}/"), devices)
    with pretend(*servers) as world, pytest.raises(PermissionError, match="401"):
        gateway.run()
    return world


def said(server: Server) -> list[dict[str, Any]]:
    return [json.loads(one) for one in server.heard]


def order(number: int, device: str, **do: object) -> dict[str, Any]:
    return {"id": number, "device": device, "do": do}


def test_orders_find_their_devices_and_what_devices_say_goes_up() -> None:
    cloud = Server(CLOUD).after(1).says(order(1, "lamp", on=True), order(2, "door", open=True))
    cloud.says(order(3, "cellar", on=True)).after(30).cuts()
    lamp = Server("lamp.example").hears({"id": 1, "on": True}).says({"id": 1, "ok": True})
    lamp.after(3).says({"watts": 7})
    door = Server("door.example").hears({"id": 2, "open": True})  # which does not answer
    run(cloud, lamp, door, Server(CLOUD).refuses(401))
    found = said(cloud)
    assert {"device": "lamp", "online": True} in found[:2]
    assert {"device": "door", "online": True} in found[:2]
    assert found[2] == {"id": 3, "error": "no such device now: 'cellar'"}
    assert found[3:] == [
        {"id": 1, "answer": {"id": 1, "ok": True}},
        {"device": "lamp", "says": {"watts": 7}},
        {"id": 2, "error": "door does not answer"},
    ]


def test_what_devices_say_while_nobody_listens_above_goes_up_later() -> None:
    cloud = Server(CLOUD).after(2).resets()
    down = Server(CLOUD).after(15).refuses(503, retry_after=60)  # with what is held
    again = Server(CLOUD).after(10).cuts()
    door = Server("door.example").after(20).says({"open": 1}).after(20).says({"open": 2})
    lamp = Server("lamp.example").after(30).cuts()
    no_lamp = [Server("lamp.example").refuses(503, retry_after=3600)]
    world = run(cloud, down, again, door, lamp, *no_lamp, Server(CLOUD).refuses(401))
    assert world.seconds > 70
    assert said(again) == [
        {"device": "door", "says": {"open": 1}},
        {"device": "lamp", "online": False},
        {"device": "door", "says": {"open": 2}},
    ]


def test_an_order_to_a_device_that_is_away_is_answered() -> None:
    cloud = Server(CLOUD).after(10).says(order(1, "lamp", on=True)).after(5).cuts()
    lamp = Server("lamp.example").refuses(503, retry_after=600)
    run(cloud, lamp, Server("door.example"), Server(CLOUD).refuses(401))
    assert [one["id"] for one in said(cloud) if "error" in one] == [1]
