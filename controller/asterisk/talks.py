"""The bridges in which people talk. One outlives the process that made it: it tells that a talk was begun."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from controller.asterisk import names
from controller.asterisk.ari.errors import AriError

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from controller.asterisk.ari.client import AriClient
    from controller.asterisk.ari.models import BridgeData


class Talks:
    """What the last look at the PBX's bridges told of talks."""

    def __init__(self, client: AriClient) -> None:
        self._client = client
        self._bridges: list[BridgeData] = []
        self._over: list[str] = []

    @property
    def members(self) -> list[set[str]]:
        """The channels of each talk."""
        return [set(bridge.channels) for bridge in self._bridges]

    @property
    def begun(self) -> frozenset[str]:
        """The ids of the calls whose talk was begun and not taken down, whether anybody is still in it or not."""
        return frozenset(names.call_of_talk(bridge.id) for bridge in self._bridges)

    def bridge_of(self, channel_id: str) -> str | None:
        """Return the id of the bridge in which a channel talks, or talked until the other one left."""
        return next((bridge.id for bridge in self._bridges if channel_id in bridge.channels), None)

    def learn(self, bridges: Iterable[BridgeData], followed: Container[str]) -> None:
        """Take note of the bridges there are; those of calls that are followed are in their journeys' hands."""
        self._bridges = [bridge for bridge in bridges if names.is_talk(bridge.id)]
        self._over = [
            bridge.id
            for bridge in self._bridges
            if not bridge.channels and names.call_of_talk(bridge.id) not in followed
        ]

    async def tidy(self) -> None:
        """Take down the bridges that everybody has left. Never raises AriError."""
        over, self._over = self._over, []
        for bridge_id in over:
            with suppress(AriError):
                await self._client.bridges.named(bridge_id).destroy()
