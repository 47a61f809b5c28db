"""The PBX as the journeys see it: calls that come in, legs that are placed, and what is found after an absence."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING

import structlog

from controller.asterisk import names
from controller.asterisk.ari.errors import AriError, AriNotFound, AriRefused
from controller.asterisk.ari.events import RecordingFailed, StasisStart
from controller.asterisk.call import AriCall, consent_in
from controller.asterisk.call_state import CallState
from controller.asterisk.following import Following
from controller.asterisk.hold_rooms import HoldRooms
from controller.asterisk.legs import Legs, no_way
from controller.asterisk.outbound_call import AriOutboundCall
from controller.asterisk.oversight import AriOversight
from controller.asterisk.recordings import AriRecordingShelf, note_failure
from controller.asterisk.survey import agent_menu_of, created_at, described, facts_of, in_talk, is_ours
from controller.asterisk.talks import Talks
from controller.ports.calls import CallFacts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping
    from datetime import datetime
    from typing import Any

    from controller.asterisk.ari.client import AriClient
    from controller.asterisk.ari.events import Event
    from controller.asterisk.ari.models import ChannelData
    from controller.asterisk.languages import Languages
    from controller.asterisk.legs import Clearance, DialRights, OutboundStyle
    from controller.asterisk.trunks import Trunks
    from controller.domain.agents import Agent
    from controller.domain.gate import Gate
    from controller.domain.promise import Attempt
    from controller.ports.clock import Clock
    from controller.ports.survey import FoundCall

log = structlog.get_logger(__name__)


class AriTelephony:
    """Follows every channel of ours, and makes new ones."""

    def __init__(
        self,
        client: AriClient,
        *,
        trunks: Trunks,
        gate: Gate,
        rights: DialRights,
        languages: Languages,
        music: Mapping[str, str] = MappingProxyType({}),
        agent_endpoints: Iterable[str],
        clock: Clock,
        new_id: Callable[[], str],
        spawn: Callable[[Coroutine[Any, Any, None]], None],
        outbound: Mapping[str, OutboundStyle] = MappingProxyType({}),
        dry_run: bool = False,
    ) -> None:
        """Take what it works with; `music` is the class of hold music (musiconhold.conf) of each queue that has one.

        `outbound` says how the customers of a queue are called. With `dry_run` nothing leaves by a trunk.
        """
        self._client = client
        self._trunks = trunks
        self._legs = Legs(client, trunks, gate, clock, rights, outbound, dry_run)
        self._languages = languages
        self._agent_endpoints = tuple(agent_endpoints)
        self._clock = clock
        self._new_id = new_id
        self._spawn = spawn
        self._rooms = HoldRooms(client, music=music, new_id=new_id, spawn=spawn)
        self._talks = Talks(client)
        self._following = Following(self._stray, self._forgotten)
        self._surveyed = False
        self.oversight = AriOversight(client, self._following, self._rooms, clock, trunks.endpoints, new_id, spawn)
        self.shelf = AriRecordingShelf(client)
        self.on_new_call: Callable[[AriCall], None] = lambda _call: None
        self.on_agent_menu: Callable[[AriCall, str], None] = lambda _call, _code: None
        """Told of an agent's phone that dialled a code; again after a restart, for one whom nobody had answered yet."""

    def on_event(self, event: Event) -> None:
        """Take one event from ARI. Quick; never waits."""
        self._rooms.notice(event)
        if isinstance(event, RecordingFailed):
            note_failure(event)
        self._following.deliver(event)

    def connection_lost(self) -> None:
        """Take note that events are being missed: until the next survey a strange leg may be one of ours."""
        self._surveyed = False

    async def leave(self) -> None:
        """Follow no call any more; they stay on the PBX, for whoever takes them up. Once there is no connection."""
        await self._following.leave()

    async def prepare(self) -> None:
        """Ask for news of the trunks and the agents' phones, after each connection; calls begin at a slow pace.

        Raises AriError.
        """
        self._trunks.outage_over()
        subscribed = set((await self._client.applications.get(self._client.app)).endpoint_ids)
        for endpoint in (*self._trunks.endpoints, *self._agent_endpoints):
            if f"PJSIP/{endpoint}" in subscribed:
                continue
            try:
                await self._client.applications.subscribe(self._client.app, f"endpoint:PJSIP/{endpoint}")
            except AriRefused:
                log.error("the PBX has no such PJSIP endpoint; add it to pjsip.conf", endpoint=endpoint)  # noqa: TRY400

    @asynccontextmanager
    async def agent_leg(
        self, agent: Agent, *, for_call: str, shown_number: str | None, ring_timeout_s: float
    ) -> AsyncIterator[AriOutboundCall]:
        """Prepare a call to an agent's phone; hung up when the context is left."""
        clear = self._legs.to_agent(agent, for_call=for_call, shown_number=shown_number, ring_timeout_s=ring_timeout_s)
        async with self._leg(f"agent-{self._new_id()}", clear, endpoint=agent.endpoint) as leg:
            yield leg

    @asynccontextmanager
    async def customer_leg(
        self, attempt: Attempt, *, queue: str, language: str, since: datetime, ring_timeout_s: float
    ) -> AsyncIterator[AriOutboundCall]:
        """Prepare a call to a customer; hung up when the context is left."""
        clear = self._legs.to_customer(
            attempt, queue=queue, language=language, since=since, ring_timeout_s=ring_timeout_s
        )
        with structlog.contextvars.bound_contextvars(attempt_id=attempt.id):
            async with self._leg(attempt.channel_id, clear, language=language) as leg:
                yield leg

    @asynccontextmanager
    async def external_leg(
        self, number: str, *, for_call: str, shown_number: str | None, ring_timeout_s: float
    ) -> AsyncIterator[AriOutboundCall]:
        """Prepare a call to a number outside that the settings name; hung up when the context is left.

        Shown is `shown_number`, else our own: many networks let no foreign number pass.
        """
        channel_id = f"external-{self._new_id()}"
        clear = self._legs.to_outside(
            channel_id, number, for_call=for_call, shown_number=shown_number, ring_timeout_s=ring_timeout_s
        )
        async with self._leg(channel_id, clear) as leg:
            yield leg

    async def survey(self) -> list[FoundCall]:
        """Compare the PBX with what is followed: what is gone ends here, what is not followed is taken up.

        Agents in their menu, whom nobody answers any more, are told to `on_agent_menu` anew: what they want is small
        and can be asked for twice. Raises AriError when the PBX cannot be read.
        """
        channels = {data.id: data for data in await self._client.channels.list()}
        for call in self._following.calls:
            await self._reconcile(call, channels.get(call.id))
        strangers = [data for data in channels.values() if data.id not in self._following and is_ours(data)]
        found = [(self._take_up(data), data) for data in strangers]
        menus = [
            (self._newcomer(data), code)
            for data in channels.values()
            if data.id not in self._following and (code := agent_menu_of(data)) is not None
        ]
        self.oversight.drop_strangers(channels)
        new = [call for call, _ in (*found, *menus)]
        # Who talks hears nothing that could be stopped, and is asked four times for nothing.
        talking = in_talk(channels.values())
        await asyncio.gather(*(call.hush() for call in new if call.id not in talking))
        # A channel that went between the list and the taking up told nobody: look once more.
        still_there = {data.id for data in await self._client.channels.list()} if new else set()
        for call in new:
            if call.id not in still_there:
                self._following.vanished(call)
        bridges = await self._client.bridges.list()
        self._rooms.learn(bridges, channels.values())
        self._talks.learn(bridges, {call.id for call in self._following.calls})
        self._surveyed = True
        for call, code in menus:
            self.on_agent_menu(call, code)
        for call, _ in found:
            call.found_in = self._talks.bridge_of(call.id)
        return [described(call, data, self._talks.members) for call, data in found]

    @property
    def talked(self) -> frozenset[str]:
        """The ids of the calls whose talk was begun and never ended in order, as the last survey found."""
        return self._talks.begun

    async def tidy(self) -> None:
        """Take down what is left of talks that are over; never raises."""
        await self._talks.tidy()

    @asynccontextmanager
    async def _leg(
        self, channel_id: str, clear: Clearance, *, language: str | None = None, endpoint: str | None = None
    ) -> AsyncIterator[AriOutboundCall]:
        endpoint = endpoint or self._trunks.first.endpoint
        facts = CallFacts(number=None, dialled="", arrived_at=self._clock.now(), endpoint=endpoint)
        leg = AriOutboundCall(
            self._client,
            channel_id,
            CallState(up=False, in_stasis=False),
            rooms=self._rooms,
            facts=facts,
            language=language or self._languages.default,
            clear=clear,
            trunks=self._trunks,
            clock=self._clock,
        )
        self._following.follow(leg)
        try:
            yield leg
        finally:
            await leg.hang_up()
            # No last event comes of a leg that never was on the PBX, or that it refused.
            if leg.state.is_gone or not leg.placed:
                self._following.forget(leg.id)

    def _take_up(self, data: ChannelData) -> AriOutboundCall:
        """Follow a channel that an earlier process made or took."""
        marks = data.channelvars
        since_ms = marks.get(names.SINCE_MS) or marks.get(names.ARRIVED_MS)
        call = AriOutboundCall(
            self._client,
            data.id,
            CallState(up=data.state == "Up", in_stasis=data.dialplan.app_name == "Stasis"),
            rooms=self._rooms,
            facts=facts_of(data, self._clock.now(), since_ms),
            language=marks.get(names.LANGUAGE)
            or self._languages.of(queue=marks.get(names.QUEUE), dialled=marks.get(names.DIALLED)),
            clear=no_way,
            trunks=self._trunks,
            clock=self._clock,
            found_on=names.endpoint_of(data.name) or "",
            placed_at=created_at(data),
        )
        call.state.rang = data.state == "Ringing"
        call.state.read_marks(marks)
        call.consent = consent_in(marks.get(names.CONSENT, ""))
        self._following.follow(call)
        return call

    def _forgotten(self, call_id: str) -> None:
        self._rooms.moved_on(call_id)
        self._trunks.vacate(call_id)

    async def _reconcile(self, call: AriCall, data: ChannelData | None) -> None:
        """Tell a followed call what it missed while the socket was down."""
        if data is None:
            if call.expected_on_pbx:
                self._following.vanished(call)
            return
        if call.unwanted:
            await call.hang_up()
        call.state.catch_up(up=data.state == "Up", in_stasis=data.dialplan.app_name == "Stasis")
        for playback_id in list(call.state.playing):
            try:
                await self._client.playbacks.get(playback_id)
            except AriNotFound:
                call.state.finished(playback_id)
            except AriError:
                log.warning("a playback could not be looked up", playback_id=playback_id)

    def _stray(self, event: Event) -> None:
        match event:
            case StasisStart(channel=channel, args=(names.INBOUND, *_)):
                self.on_new_call(self._newcomer(channel))
            case StasisStart(channel=channel, args=(names.AGENT_MENU, code, *_)):
                self.on_agent_menu(self._newcomer(channel), code)
            case StasisStart(channel=channel) if self._surveyed:
                log.warning("a leg that nobody expects is hung up", channel_id=channel.id, args=event.args)
                self._spawn(self._drop(channel.id))
            case _:
                pass  # Of a channel that nobody follows: gone already, or not ours.

    def _newcomer(self, data: ChannelData) -> AriCall:
        """Follow a channel that came to us by itself: a caller, or an agent who dialled a code."""
        facts = facts_of(data, self._clock.now(), data.channelvars.get(names.ARRIVED_MS))
        call = AriCall(
            self._client,
            data.id,
            CallState(up=data.state == "Up", in_stasis=True),
            rooms=self._rooms,
            facts=facts,
            language=self._languages.of(queue=None, dialled=facts.dialled),
        )
        self._following.follow(call)
        return call

    async def _drop(self, channel_id: str) -> None:
        try:
            await self._client.channels.named(channel_id).hangup()
        except AriError as error:
            log.info("it was gone already", channel_id=channel_id, reason=str(error))
