"""The PBX as the journeys see it: calls that come in, legs that are placed, and what is found after an absence."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from controller.asterisk import names
from controller.asterisk.ari.errors import AriError, AriNotFound, AriRefused
from controller.asterisk.ari.events import StasisStart
from controller.asterisk.call import AriCall
from controller.asterisk.call_state import CallState
from controller.asterisk.hold_rooms import HoldRooms
from controller.asterisk.mailbox import Mailbox
from controller.asterisk.outbound_call import AriOutboundCall, Destination, Trunk
from controller.asterisk.survey import described, is_ours
from controller.asterisk.switchboard import Switchboard
from controller.domain.outcome import Outcome
from controller.domain.phone_number import DialableNumber
from controller.ports.calls import CallFacts
from controller.ports.survey import FoundCall, Role

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping
    from typing import Any

    from controller.asterisk.ari.client import AriClient
    from controller.asterisk.ari.events import Event
    from controller.asterisk.ari.models import ChannelData
    from controller.asterisk.languages import Languages
    from controller.domain.agents import Agent
    from controller.domain.gate import Gate
    from controller.domain.promise import Attempt
    from controller.ports.clock import Clock

log = structlog.get_logger(__name__)

_LONGEST_MS = 14
"""Digits of a time in milliseconds since 1970, up to the year 5138: a longer one is no time."""


class AriTelephony:
    """Follows every channel of ours, and makes new ones."""

    def __init__(
        self,
        client: AriClient,
        *,
        trunk: Trunk,
        gate: Gate,
        languages: Languages,
        agent_endpoints: Iterable[str],
        clock: Clock,
        new_id: Callable[[], str],
        spawn: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self._client = client
        self._trunk = trunk
        self._gate = gate
        self._languages = languages
        self._agent_endpoints = tuple(agent_endpoints)
        self._clock = clock
        self._new_id = new_id
        self._spawn = spawn
        self._rooms = HoldRooms(client, new_id=new_id, spawn=spawn)
        self._switchboard = Switchboard(self._stray)
        self._surveyed = False
        self._calls: dict[str, AriCall] = {}
        self._followers: dict[str, asyncio.Task[None]] = {}
        self.on_new_call: Callable[[AriCall], None] = lambda _call: None

    def on_event(self, event: Event) -> None:
        """Take one event from ARI. Quick; never waits."""
        self._rooms.notice(event)
        self._switchboard.deliver(event)

    def connection_lost(self) -> None:
        """Take note that events are being missed: until the next survey a strange leg may be one of ours."""
        self._surveyed = False

    async def prepare(self) -> None:
        """Ask for news of the trunk and the agents' phones. Needed after each start of Asterisk. Raises AriError."""
        subscribed = set((await self._client.applications.get(self._client.app)).endpoint_ids)
        for endpoint in (self._trunk.endpoint, *self._agent_endpoints):
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
        destination = Destination(
            endpoint=f"PJSIP/{agent.endpoint}",
            context=names.AGENT_CONTEXT,
            caller_id=names.digits_only(shown_number) or "anonymous",
            ring_timeout_s=ring_timeout_s,
            variables={names.ROLE: Role.AGENT, names.CALL: for_call, names.AGENT: agent.name},
        )
        async with self._leg(f"agent-{self._new_id()}", lambda: destination, language=self._languages.default) as leg:
            yield leg

    @asynccontextmanager
    async def customer_leg(
        self, attempt: Attempt, *, queue: str, language: str, since: datetime, ring_timeout_s: float
    ) -> AsyncIterator[AriOutboundCall]:
        """Prepare a call to a customer; hung up when the context is left."""
        variables = {
            names.ROLE: Role.CUSTOMER.value,
            names.ATTEMPT: attempt.id,
            names.PROMISE: attempt.promise_id,
            names.QUEUE: queue,
            names.SINCE_MS: str(int(since.timestamp() * 1000)),
        }
        clear = self._clearance(attempt.number, ring_timeout_s, variables)
        with structlog.contextvars.bound_contextvars(attempt_id=attempt.id):
            async with self._leg(attempt.channel_id, clear, language=language) as leg:
                yield leg

    async def survey(self) -> list[FoundCall]:
        """Compare the PBX with what is followed: what is gone ends here, what is not followed is taken up.

        Raises AriError when the PBX cannot be read.
        """
        channels = {data.id: data for data in await self._client.channels.list()}
        for call in list(self._calls.values()):
            await self._reconcile(call, channels.get(call.id))
        strangers = [data for data in channels.values() if data.id not in self._calls and is_ours(data)]
        found = [(self._take_up(data), data) for data in strangers]
        await asyncio.gather(*(call.hush() for call, _ in found))
        # A channel that went between the list and the taking up told nobody: look once more.
        still_there = {data.id for data in await self._client.channels.list()} if found else set()
        for call, _ in found:
            if call.id not in still_there:
                self._vanished(call)
        bridges = await self._client.bridges.list()
        self._rooms.learn(bridges, channels.values())
        self._surveyed = True
        talks = [set(bridge.channels) for bridge in bridges if names.is_talk(bridge.id)]
        return [described(call, data, talks) for call, data in found]

    def _clearance(
        self, number: str, ring_timeout_s: float, variables: Mapping[str, str]
    ) -> Callable[[], Destination | Outcome]:
        """Return the question to the gate, asked in the last step before a customer is dialled."""

        def clear() -> Destination | Outcome:
            if not self._client.connected:
                return Outcome.NOT_PLACED
            cleared = self._gate.clear(number, self._clock.now())
            if not isinstance(cleared, DialableNumber):
                return cleared
            return Destination(
                endpoint=self._trunk.dial_string(cleared),
                context=names.CUSTOMER_CONTEXT,
                caller_id=names.digits_only(self._trunk.caller_id),
                ring_timeout_s=ring_timeout_s,
                variables=variables,
            )

        return clear

    @asynccontextmanager
    async def _leg(
        self, channel_id: str, clear: Callable[[], Destination | Outcome], *, language: str
    ) -> AsyncIterator[AriOutboundCall]:
        facts = CallFacts(number=None, dialled="", arrived_at=self._clock.now())
        leg = AriOutboundCall(
            self._client,
            channel_id,
            CallState(up=False, in_stasis=False),
            rooms=self._rooms,
            facts=facts,
            language=language,
            clear=clear,
        )
        self._follow(leg)
        try:
            yield leg
        finally:
            await leg.hang_up()
            # No last event comes of a leg that never was on the PBX, or that it refused.
            if leg.state.is_gone or not leg.placed:
                self._forget(leg.id)

    def _take_up(self, data: ChannelData) -> AriOutboundCall:
        """Follow a channel that an earlier process made or took."""
        marks = data.channelvars
        since_ms = marks.get(names.SINCE_MS) or marks.get(names.ARRIVED_MS)
        call = AriOutboundCall(
            self._client,
            data.id,
            CallState(up=data.state == "Up", in_stasis=data.dialplan.app_name == "Stasis"),
            rooms=self._rooms,
            facts=self._facts(data, since_ms),
            language=self._languages.of(queue=marks.get(names.QUEUE), dialled=marks.get(names.DIALLED)),
            clear=lambda: Outcome.UNKNOWN,
            placed=True,
        )
        call.state.rang = data.state == "Ringing"
        self._follow(call)
        return call

    def _follow(self, call: AriCall) -> None:
        """Give a call its mailbox, and a task that reads it in order until the channel is gone."""
        mailbox = Mailbox()
        self._switchboard.register(call.id, mailbox)
        self._calls[call.id] = call

        async def read() -> None:
            try:
                while call.state.gone is None:
                    call.state.apply(await mailbox.next())
            finally:
                self._forget(call.id)

        self._followers[call.id] = asyncio.get_running_loop().create_task(read(), name=f"events of {call.id}")

    def _vanished(self, call: AriCall) -> None:
        """End a call that is no longer on the PBX, though nobody saw it go."""
        call.state.vanished()
        self._forget(call.id)

    def _forget(self, call_id: str) -> None:
        self._rooms.moved_on(call_id)
        self._switchboard.unregister(call_id)
        self._calls.pop(call_id, None)
        follower = self._followers.pop(call_id, None)
        if follower is not None and follower is not asyncio.current_task():
            follower.cancel()

    async def _reconcile(self, call: AriCall, data: ChannelData | None) -> None:
        """Tell a followed call what it missed while the socket was down."""
        if data is None:
            if call.expected_on_pbx:
                self._vanished(call)
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
                self._new_caller(channel)
            case StasisStart(channel=channel) if self._surveyed:
                log.warning("a leg that nobody expects is hung up", channel_id=channel.id, args=event.args)
                self._spawn(self._drop(channel.id))
            case _:
                pass  # Of a channel that nobody follows: gone already, or not ours.

    def _new_caller(self, data: ChannelData) -> None:
        facts = self._facts(data, data.channelvars.get(names.ARRIVED_MS))
        call = AriCall(
            self._client,
            data.id,
            CallState(up=data.state == "Up", in_stasis=True),
            rooms=self._rooms,
            facts=facts,
            language=self._languages.of(queue=None, dialled=facts.dialled),
        )
        self._follow(call)
        self.on_new_call(call)

    async def _drop(self, channel_id: str) -> None:
        try:
            await self._client.channels.named(channel_id).hangup()
        except AriError as error:
            log.info("it was gone already", channel_id=channel_id, reason=str(error))

    def _facts(self, data: ChannelData, since_ms: str | None) -> CallFacts:
        arrived_at = self._clock.now()
        if since_ms and since_ms.isdecimal() and len(since_ms) <= _LONGEST_MS:
            arrived_at = min(arrived_at, datetime.fromtimestamp(int(since_ms) / 1000, UTC))
        number = names.digits_only(data.caller.number) or None
        dialled = names.digits_only(data.channelvars.get(names.DIALLED) or data.dialplan.exten)
        return CallFacts(number=number, dialled=dialled, arrived_at=arrived_at)
