"""Hold rooms are small, and filled before there is another one."""

from __future__ import annotations

import itertools
from collections import Counter
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from controller.asterisk import names
from controller.asterisk.ari.models import BridgeData, ChannelData
from controller.asterisk.hold_rooms import MUSIC_CHANNEL, ROOM_SIZE, HoldRooms
from tests.adapters.ari_server import AriServer, ari_server, wired

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine


class House:
    """Rooms on a PBX that takes every request."""

    def __init__(self, server: AriServer, rooms: HoldRooms, retired: list[Coroutine[Any, Any, None]]) -> None:
        self.server, self.rooms, self.retired = server, rooms, retired

    def where(self) -> dict[str, str]:
        """Return the bridge into which each channel was put last."""
        moves = (asked for asked in self.server.requests if asked["uri"].endswith("/addChannel"))
        return {_query(asked)["channel"]: asked["uri"].split("/")[1] for asked in moves}


def _query(asked: dict[str, Any]) -> dict[str, str]:
    return {pair["name"]: pair["value"] for pair in asked["query_strings"]}


@asynccontextmanager
async def house() -> AsyncIterator[House]:
    """Open a house without anybody in it."""
    numbers = itertools.count(1)
    retired: list[Coroutine[Any, Any, None]] = []
    async with ari_server() as server, wired(server.port) as wire:
        await wire.until("up")
        rooms = HoldRooms(wire.client, music={}, new_id=lambda: str(next(numbers)), spawn=retired.append)
        try:
            yield House(server, rooms, retired)
        finally:
            for closing in retired:
                closing.close()


async def test_a_room_is_filled_before_there_is_another_one() -> None:
    """And each queue has its own: callers of two hear two kinds of music."""
    async with house() as at:
        for number in range(2 * ROOM_SIZE + 1):
            await at.rooms.enter("sales", f"c-{number}")
        await at.rooms.enter("support", "d-1")
        assert Counter(Counter(at.where().values()).values()) == {ROOM_SIZE: 2, 1: 2}
        assert at.rooms.holds("c-0", "sales")
        assert not at.rooms.holds("d-1", "sales")


async def test_a_place_that_becomes_free_is_taken_in_the_fullest_room() -> None:
    """So that the rooms of a line that grows shorter become fewer."""
    async with house() as at:
        for number in range(2 * ROOM_SIZE + 1):
            await at.rooms.enter("sales", f"c-{number}")
        await at.rooms.leave("c-3")
        await at.rooms.enter("sales", "late")
        assert at.where()["late"] == at.where()["c-3"]
        assert at.retired == []


async def test_a_room_that_was_empty_for_a_moment_is_not_used_again() -> None:
    """Its music is on its way out."""
    async with house() as at:
        await at.rooms.enter("sales", "c-1")
        await at.rooms.leave("c-1")
        await at.rooms.enter("sales", "c-2")
        assert at.where()["c-1"] != at.where()["c-2"]
        assert len(at.retired) == 1


async def test_after_an_absence_every_room_with_callers_and_music_is_used_on() -> None:
    """Also one that is larger than rooms are now; one without music is given up."""
    large = [f"l-{number}" for number in range(ROOM_SIZE + 1)]
    name = names.hold_bridge("sales")

    def found(bridge_id: str, *channels: str) -> BridgeData:
        return BridgeData(id=bridge_id, name=name, channels=channels)

    async with house() as at:
        channels = [ChannelData(id=f"moh-{n}", name=f"{MUSIC_CHANNEL}-{n}") for n in (1, 2)]
        rooms = [found("b-1", "moh-1", *large), found("b-2", "moh-2", "c-1"), found("b-3", "c-2")]
        at.rooms.learn(rooms, channels)
        assert at.rooms.holds("l-0", "sales")
        assert at.rooms.holds("c-1", "sales")
        assert not at.rooms.holds("c-2")
        await at.rooms.enter("sales", "new")
        assert at.where()["new"] == "b-2"
        assert len(at.retired) == 1
