"""What customers were told, and with whom they talked: ARI events of the PBX, turned into facts. Pure.

Whose channel it is, is taken from the telephone network's side of it: the number that a caller showed, the number that
was dialled. The controller's own variables and ids are not looked at.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from lab.ledger.facts import Fact, Kind, e164

if TYPE_CHECKING:
    from collections.abc import Mapping

ACKNOWLEDGED = frozenset({"promise-made", "promise-exists", "promise-asap-opening", "slot-after"})
CANCELLED = frozenset({"cancelled"})
_TRUNK = "PJSIP/carrier"
_AGENT = re.compile(r"PJSIP/(agent-\d+)-")
_LATER = re.compile(r"later-(\d+)")
_DIALLED = re.compile(r"([+0-9]+)@")


class PbxEar:
    """Follows channels and bridges from `ChannelCreated` and `Dial` on."""

    def __init__(self) -> None:
        self._customers: dict[str, str] = {}
        self._agents: dict[str, str] = {}
        self._bridges: dict[str, set[str]] = {}
        self._talks: dict[str, tuple[str, str]] = {}
        self._saying: dict[str, str] = {}

    def hear(self, event: Mapping[str, Any], at_s: float) -> list[Fact]:
        """Return the facts in one event; `at_s` is when it came."""
        match event.get("type"):
            case "ChannelCreated" | "ChannelCallerId" | "ChannelStateChange" | "StasisStart":
                self._meet(event["channel"])
            case "Dial":
                self._dialled(event)
            case "PlaybackStarted" | "PlaybackContinuing":
                return self._says(event["playback"], at_s)
            case "PlaybackFinished":
                return self._said(event["playback"], at_s)
            case "ChannelEnteredBridge":
                self._meet(event["channel"])
                if event["bridge"]["bridge_type"] == "holding":
                    return []  # They wait in one room, and do not hear each other.
                return self._enters(event["bridge"]["id"], event["channel"]["id"], at_s)
            case "ChannelLeftBridge":
                return self._leaves(event["bridge"]["id"], event["channel"]["id"], at_s)
            case "ChannelDestroyed":
                channel = event["channel"]["id"]
                facts = [fact for bridge in list(self._bridges) for fact in self._leaves(bridge, channel, at_s)]
                self._customers.pop(channel, None)
                self._agents.pop(channel, None)
                return facts
        return []

    def _meet(self, channel: Mapping[str, Any]) -> None:
        name, channel_id = channel["name"], channel["id"]
        if agent := _AGENT.match(name):
            self._agents[channel_id] = agent[1]
        elif name.startswith(_TRUNK) and channel_id not in self._customers and channel["caller"]["number"]:
            # A caller's; a call that we placed is known by what was dialled, which comes with its Dial event.
            self._customers[channel_id] = e164(channel["caller"]["number"])

    def _dialled(self, event: Mapping[str, Any]) -> None:
        peer, found = event["peer"], _DIALLED.match(event.get("dialstring", ""))
        if found and peer["name"].startswith(_TRUNK):
            self._customers[peer["id"]] = e164(found[1])

    def _says(self, playback: Mapping[str, Any], at_s: float) -> list[Fact]:
        """Note a prompt that has begun: the one before it was played to its end."""
        before = self._saying.get(playback["id"])
        self._saying[playback["id"]] = playback["media_uri"]
        return self._told(before, playback, at_s) if before else []

    def _said(self, playback: Mapping[str, Any], at_s: float) -> list[Fact]:
        self._saying.pop(playback["id"], None)
        return self._told(playback["media_uri"], playback, at_s) if playback["state"] == "done" else []

    def _told(self, media_uri: str, playback: Mapping[str, Any], at_s: float) -> list[Fact]:
        prompt = media_uri.rpartition("/")[2]
        number = self._customers.get(str(playback["target_uri"]).removeprefix("channel:"))
        if number is None:
            return []
        if prompt in ACKNOWLEDGED:
            return [Fact(at_s, Kind.ACKNOWLEDGED, number)]
        if later := _LATER.fullmatch(prompt):
            return [Fact(at_s, Kind.LATER, number, later_s=60.0 * int(later[1]))]
        return [Fact(at_s, Kind.CANCELLED, number)] if prompt in CANCELLED else []

    def _enters(self, bridge: str, channel: str, at_s: float) -> list[Fact]:
        inside = self._bridges.setdefault(bridge, set())
        inside.add(channel)
        customer = next((one for one in inside if one in self._customers), None)
        agent = next((one for one in inside if one in self._agents), None)
        if customer is None or agent is None or bridge in self._talks:
            return []
        self._talks[bridge] = self._customers[customer], self._agents[agent]
        return [Fact(at_s, Kind.TALK, self._customers[customer], agent=self._agents[agent])]

    def _leaves(self, bridge: str, channel: str, at_s: float) -> list[Fact]:
        inside = self._bridges.get(bridge, set())
        if channel not in inside:
            return []
        inside.discard(channel)
        if not inside:
            self._bridges.pop(bridge, None)
        is_party = channel in self._customers or channel in self._agents
        talk = self._talks.pop(bridge, None) if is_party else None
        return [Fact(at_s, Kind.TALK_OVER, talk[0], agent=talk[1])] if talk else []
