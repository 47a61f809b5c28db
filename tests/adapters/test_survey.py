"""What a look at the PBX after an absence asks for: enough to silence what still plays, and nothing for nothing."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from aiohttp import web

from controller.asterisk import names
from controller.asterisk.ari.models import ChannelData
from controller.asterisk.survey import in_talk
from controller.ports.calls import Stage
from tests.adapters.ari_server import AriServer, wired
from tests.adapters.outward import PATIENCE_S, Outward

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from controller.asterisk.ari.events import Event
    from controller.asterisk.telephony import AriTelephony

CALLER = {names.ROLE: "caller", names.QUEUE: "main"}


def channel(channel_id: str, **marks: str) -> ChannelData:
    """Return a channel with these marks."""
    return ChannelData(id=channel_id, channelvars=marks)


def test_who_talks_and_the_agent_who_was_rung_for_them_are_in_talk() -> None:
    """Not who waits, nor the agent who is only being rung for one of those."""
    channels = [
        channel("c-1", **CALLER, **{names.STAGE: Stage.TALKING}),
        channel("agent-a", **{names.ROLE: "agent", names.CALL: "c-1"}),
        channel("c-2", **CALLER, **{names.STAGE: Stage.IN_LINE}),
        channel("agent-b", **{names.ROLE: "agent", names.CALL: "c-2"}),
        channel("c-3"),
    ]
    assert in_talk(channels) == {"c-1", "agent-a"}


class FullServer(AriServer):
    """A PBX on which there are channels."""

    def __init__(self, *channels: dict[str, Any]) -> None:
        super().__init__()
        self._channels = channels

    async def _http(self, request: web.Request) -> web.StreamResponse:
        if request.match_info["uri"] == "channels":
            return web.json_response(self._channels)
        return await super()._http(request)


@asynccontextmanager
async def served(server: AriServer) -> AsyncIterator[Outward]:
    """Run the server, and a telephony that is connected to it, for the length of the block."""
    telephonies: list[AriTelephony] = []

    def take(told: Event) -> None:
        telephonies[0].on_event(told)

    runner = web.AppRunner(server.application(), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port: int = runner.addresses[0][1]
    try:
        async with asyncio.timeout(PATIENCE_S), wired(port, on_event=take) as wire:
            made = Outward(server, wire, {})
            telephonies.append(made.telephony)
            await wire.until("up")
            try:
                yield made
            finally:
                await made.telephony.leave()
    finally:
        await runner.cleanup()


def found(channel_id: str, **marks: str) -> dict[str, Any]:
    """Return a channel in our application as ARI lists it."""
    dialplan = {"context": "orikaeshi-inbound", "exten": "s", "priority": 4, "app_name": "Stasis", "app_data": ""}
    return {"id": channel_id, "name": "PJSIP/carrier-1", "state": "Up", "dialplan": dialplan, "channelvars": marks}


async def test_what_may_still_play_is_stopped_and_nothing_is_asked_of_those_who_talk() -> None:
    """Who waits may be in the middle of an announcement: each playback that they can have is stopped."""
    server = FullServer(
        found("c-1", **CALLER, **{names.STAGE: Stage.TALKING}),
        found("agent-a", **{names.ROLE: "agent", names.AGENT: "alice", names.CALL: "c-1"}),
        found("c-2", **CALLER, **{names.STAGE: Stage.IN_LINE}),
    )
    async with served(server) as made:
        taken_up = await made.telephony.survey()
    assert {call.call.id for call in taken_up} == {"c-1", "agent-a", "c-2"}
    stopped = [asked["uri"] for asked in server.requests if asked["method"] == "DELETE"]
    assert sorted(stopped) == [f"playbacks/{playback}" for playback in sorted(names.playbacks("c-2"))]


def followed() -> set[str]:
    """Return the tasks that read a call's events, by their names."""
    return {name for task in asyncio.all_tasks() if (name := task.get_name()).startswith("events of ")}


async def test_whoever_leaves_the_pbx_hears_no_more_of_its_calls_and_hangs_nobody_up() -> None:
    """No task of theirs is left either: the next one who takes the calls up is alone with them."""
    server = FullServer(found("c-1", **CALLER, **{names.STAGE: Stage.IN_LINE}))
    async with served(server) as made:
        await made.telephony.survey()
        assert followed() == {"events of c-1"}
        await made.telephony.leave()
        assert followed() == set()
    assert not any(asked["uri"].startswith("channels/c-1") for asked in server.requests if asked["method"] == "DELETE")
