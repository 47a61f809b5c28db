"""Where callers hold: bridges with music that is there whenever a caller is.

One music channel plays to a whole bridge, which costs less than music per caller. But Asterisk throws that channel
out the moment the last caller leaves, and whoever comes in just then meets silence. So a room that was empty for a
moment is never used again: the next caller gets a new one, and who was on the way into the old one is moved.

A room is small. Whenever somebody enters or leaves a bridge Asterisk sets two variables on every channel in it, and
each is a message to everybody who listens: a single room of 500 made 4,000 of them a second and every event late.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from controller.asterisk import names
from controller.asterisk.ari.errors import AriConflict, AriError, AriNotFound
from controller.asterisk.ari.events import BridgeDestroyed, ChannelEnteredBridge, ChannelLeftBridge
from controller.asterisk.ari.models import ChannelData

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Mapping
    from typing import Any

    from controller.asterisk.ari.client import AriClient
    from controller.asterisk.ari.events import Event
    from controller.asterisk.ari.models import BridgeData
    from controller.asterisk.ari.objects import Bridge

log = structlog.get_logger(__name__)

MUSIC_CHANNEL = "Announcer/ARI_MOH"
"""How the name of the channel that plays a bridge's music begins."""

ROOM_SIZE = 16
"""How many hold in one room. Each room costs a channel of music, so that smaller ones save nothing."""


async def make_bridge(client: AriClient, bridge_id: str, *, kind: str, name: str) -> Bridge:
    """Make a bridge, or return the one that has this id already. Raises AriError."""
    try:
        return await client.bridges.create_with_id(bridge_id, kind=kind, name=name)
    except AriConflict:
        return client.bridges.named(bridge_id)


@dataclass(eq=False, slots=True)
class Room:
    """One holding bridge. `members` are the channels in it and on the way into it."""

    queue: str
    bridge_id: str
    members: set[str] = field(default_factory=set)
    ready: asyncio.Lock = field(default_factory=asyncio.Lock)
    plays: bool = False


class HoldRooms:
    """The rooms in use; as many a queue as its callers fill."""

    def __init__(
        self,
        client: AriClient,
        *,
        music: Mapping[str, str],
        new_id: Callable[[], str],
        spawn: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        """Take what it works with; `music` is the class of hold music of each queue that has its own."""
        self._client = client
        self._music = music
        self._new_id = new_id
        self._spawn = spawn
        self._by_bridge: dict[str, Room] = {}

    def holds(self, channel_id: str, queue: str | None = None) -> bool:
        """Tell whether a channel is in a room, or on its way into one; of that queue, when it is named."""
        return any(
            channel_id in room.members for room in self._by_bridge.values() if queue is None or room.queue == queue
        )

    async def enter(self, queue: str, channel_id: str) -> None:
        """Put a channel into its queue's room, with music. Repeatable. Raises AriError."""
        while True:
            room = self._room_for(queue)
            room.members.add(channel_id)
            try:
                await self._make_ready(room)
                await self._client.bridges.named(room.bridge_id).add_channel(channel_id)
            except AriNotFound:
                room.members.discard(channel_id)
                # Either the channel is gone, or the PBX was restarted and knows this bridge no more.
                await self._client.channels.get(channel_id)
                self._retire(room)
            except AriError:
                room.members.discard(channel_id)
                raise
            else:
                return

    async def leave(self, channel_id: str) -> None:
        """Take a channel out of the room that it is in. Raises AriError."""
        for room in [room for room in self._by_bridge.values() if channel_id in room.members]:
            room.members.discard(channel_id)
            if not room.members:
                self._retire(room)
            await self._client.bridges.named(room.bridge_id).remove_channel(channel_id)

    def moved_on(self, channel_id: str) -> None:
        """Take note that a channel is about to be moved into another bridge, or is gone."""
        for room in [room for room in self._by_bridge.values() if channel_id in room.members]:
            room.members.discard(channel_id)
            if not room.members:
                self._retire(room)

    def notice(self, event: Event) -> None:
        """Take note of who left a room, as Asterisk saw it."""
        match event:
            case ChannelLeftBridge() if (room := self._by_bridge.get(event.bridge.id)) is not None:
                room.members.discard(event.channel.id)
                if room.members.isdisjoint(event.bridge.channels):
                    self._retire(room)
            case ChannelEnteredBridge(channel=ChannelData(name=name, id=channel_id)) if (
                room := self._by_bridge.get(event.bridge.id)
            ) is not None and not name.startswith(MUSIC_CHANNEL):
                room.members.add(channel_id)
            case BridgeDestroyed() if (room := self._by_bridge.get(event.bridge.id)) is not None:
                self._retire(room)

    def learn(self, bridges: Iterable[BridgeData], channels: Iterable[ChannelData]) -> None:
        """Take over the rooms that are there after an absence; only one with music and callers is used on."""
        music = {channel.id for channel in channels if channel.name.startswith(MUSIC_CHANNEL)}
        self._by_bridge.clear()
        for bridge in bridges:
            queue = names.queue_of_hold_bridge(bridge.name)
            if queue is None:
                continue
            members = set(bridge.channels) - music
            room = Room(queue, bridge.id, members, plays=True)
            self._by_bridge[bridge.id] = room
            if not members or members == set(bridge.channels):
                self._retire(room)

    def _room_for(self, queue: str) -> Room:
        """Return the fullest of the queue's rooms that has a place left; a new one if none has."""
        rooms = (room for room in self._by_bridge.values() if room.queue == queue and len(room.members) < ROOM_SIZE)
        room = max(rooms, key=lambda each: len(each.members), default=None)
        if room is None:
            room = Room(queue, f"{names.hold_bridge(queue)}-{self._new_id()}")
            self._by_bridge[room.bridge_id] = room
        return room

    async def _make_ready(self, room: Room) -> None:
        async with room.ready:
            if not room.plays:
                bridge = await make_bridge(
                    self._client, room.bridge_id, kind="holding", name=names.hold_bridge(room.queue)
                )
                # A class that the PBX does not have is no silence: Asterisk plays its default class, and warns.
                await bridge.start_moh(self._music.get(room.queue))
                room.plays = True

    def _retire(self, room: Room) -> None:
        """Use a room no more: move whoever is still meant to be in it, then take it down."""
        if self._by_bridge.pop(room.bridge_id, None) is not None:
            self._spawn(self._clear(room))

    async def _clear(self, room: Room) -> None:
        try:
            for channel_id in list(room.members):
                await self.enter(room.queue, channel_id)
            await self._client.bridges.named(room.bridge_id).destroy()
        except AriError as error:
            log.debug("a hold room was gone already", bridge=room.bridge_id, reason=str(error))
