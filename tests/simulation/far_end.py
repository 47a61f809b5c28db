"""What can be seen from outside: the phones of a day, the SMS that arrive, what people were told and pressed.

The judge reads this, and nothing that the product writes.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from controller.ports.calls import CallFacts
from controller.ports.survey import Role
from tests.journeys.scripted import DATABASE, TRUNK, ScriptedTelephony
from tests.journeys.scripted_call import Moment, ScriptedCall, Step
from tests.journeys.scripted_channel import Channel

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncIterator, Callable
    from datetime import datetime

    from controller.ports.survey import FoundCall
    from tests.journeys.scripted_channel import Person
    from tests.simulation.clock import DayClock


class What(StrEnum):
    """What was seen."""

    RINGS_IN = "rings in"
    DIALS = "dials"
    """An agent, one of the codes for agents."""
    INVITE = "is rung"
    ANSWERS = "answers"
    HEARS = "hears"
    PRESSES = "presses"
    ON_HOLD = "is on hold"
    TALKS = "talks with"
    ENDS = "ends by"
    SMS = "gets SMS"
    HANDED_OVER = "is sent SMS, which the carrier"
    REPLIES = "replies"
    REPLY_TAKEN = "has the reply acknowledged"
    ASKS = "opens the page for"
    DECIDED = "is shown as decided"
    CANCELLED = "is cancelled by the admin"
    BLOCKED = "said STOP"
    FAULT = "fault"


class Sighting(NamedTuple):
    """One thing that was seen. `at_s`: seconds of the day by a clock that nobody sets; `wall`: aware UTC, as set."""

    at_s: float
    wall: datetime
    what: What
    who: str
    """The channel; for SMS, pages, a cancellation and a STOP the number; for a fault its kind."""
    detail: str = ""


class FarEnd:
    """Writes down what is seen."""

    def __init__(self, clock: DayClock) -> None:
        self._clock = clock
        self.sightings: list[Sighting] = []
        self.is_listening: Callable[[], bool] = lambda: True
        """Whether a controller hears what happens on the phones now."""
        self.channels: dict[str, Channel] = {}

    def see(self, what: What, who: str, detail: str = "") -> None:
        """Write down one thing."""
        self.sightings.append(Sighting(self._clock.monotonic(), self._clock.now(), what, who, detail))

    def story(self) -> list[str]:
        """Return all of it, a line each."""
        return [
            f"{each.at_s:10.3f} {each.wall:%m-%d %H:%M:%S} {self._name(each)} {each.what.value} {each.detail}".rstrip()
            for each in self.sightings
        ]

    def _name(self, sighting: Sighting) -> str:
        channel = self.channels.get(sighting.who)
        if channel is None:
            return sighting.who
        number = channel.facts.number if channel.role is Role.CALLER else channel.facts.dialled
        return f"{channel.id}[{channel.agent or number or 'hidden'}]"


class SeenChannel(Channel):
    """A channel whose phone is watched."""

    far_end: FarEnd

    def pick_up(self) -> None:
        """Answer the phone."""
        if not self.gone and not self.up:
            self.far_end.see(What.ANSWERS, self.id)
        super().pick_up()

    def hang_up(self, by: str) -> None:
        """End the call."""
        if not self.gone:
            in_talk = "" if self.peer is None or self.peer.gone else " in a talk"
            self.far_end.see(What.ENDS, self.id, by + in_talk)
        super().hang_up(by)

    def hear(self, prompt: str) -> None:
        """Hear a prompt."""
        self.far_end.see(What.HEARS, self.id, prompt)
        super().hear(prompt)

    def press(self, keys: str, prompt: str = "") -> None:
        """Press keys."""
        if self.gone:
            return
        is_heard = self.far_end.is_listening()
        self.far_end.see(What.PRESSES, self.id, f"{keys} at {prompt}" + ("" if is_heard else " (nobody listens)"))
        if is_heard:
            super().press(keys, prompt)

    def join(self, other: Channel) -> None:
        """Talk with somebody."""
        self.far_end.see(What.TALKS, self.id, other.id)
        super().join(other)


class SeenCall(ScriptedCall):
    """A controller's hold on such a channel, by a connection that can be lost: each request then waits for the next."""

    async def hang_up(self) -> None:
        """Hang up, once there is a connection."""
        if self._epoch == self._exchange.epoch:
            await self._connected()
        await super().hang_up()

    async def hold(self, queue: str, *, until_keys: str = "") -> str:
        """Put the party on hold."""
        if self._epoch == self._exchange.epoch and self.channel.held_in != queue and not self.channel.gone:
            self._seen.far_end.see(What.ON_HOLD, self.id, queue)
        return await super().hold(queue, until_keys=until_keys)

    async def _reach(self, step: Step, moment: Moment) -> None:
        await self._connected()
        await super()._reach(step, moment)

    async def _connected(self) -> None:
        link = self._seen.link
        if not link.is_set():
            await link.wait()

    @property
    def _seen(self) -> SeenTelephony:
        if not isinstance(self._exchange, SeenTelephony):
            raise TypeError("a call that is seen needs a telephone system that is")
        return self._exchange


class SeenTelephony(ScriptedTelephony):
    """The PBX of a day. Its calls pass the contract of all calls; this adds eyes, and a connection that can be cut."""

    def __init__(self, clock: DayClock, far_end: FarEnd, link: asyncio.Event, prompt_s: Callable[[str], float]) -> None:
        super().__init__(clock, prompt_s=prompt_s)
        self.far_end = far_end
        self.link = link
        self.link.set()

    def reached(self, step: Step, moment: Moment) -> None:
        """Do what was planned for a moment. Nobody asks for the list of all steps of a day."""
        for plan in self.plans:
            plan(step, moment)

    @asynccontextmanager
    async def transaction(self, name: str) -> AsyncIterator[None]:
        """Let a transaction of the database be a step too."""
        epoch = self.epoch
        step = Step(DATABASE, 1, 0, name)
        await self._reach(epoch, step, Moment.BEFORE)
        yield
        await self._reach(epoch, step, Moment.AFTER)

    def comes_in(self, person: Person, number: str | None, dialled: str, *, heard: bool) -> Channel:
        """Somebody calls. Not `heard`: no controller listens; the dialplan plays music, and the next one finds them."""
        facts = CallFacts(number, dialled, self._clock.now(), TRUNK)
        channel = self._channel("caller", Role.CALLER, person, facts)
        self.far_end.see(What.RINGS_IN, channel.id, dialled)
        channel.begin()
        if heard:
            self._followed.add(channel.id)
            self.on_new_call(SeenCall(self, channel))
        return channel

    def agent_dials(self, agent: str, code: str, person: Person, *, endpoint: str | None = None) -> Channel:
        """Let an agent's phone dial one of the codes for agents; a controller has to listen."""
        facts = CallFacts(None, code, self._clock.now(), endpoint or f"phone-{agent}")
        channel = self._channel("agent", Role.AGENT, person, facts)
        self.far_end.channels[channel.id] = channel
        channel.agent, channel.menu_code = agent, code
        channel.on_change = lambda changed: self.on_agent_phone(agent, not changed.live)
        self.far_end.see(What.DIALS, channel.id, code)
        channel.begin()
        self._followed.add(channel.id)
        self.on_agent_menu(SeenCall(self, channel), code)
        return channel

    def lose_controller(self) -> None:
        """Let the controller die, and with it the keys that it had heard."""
        super().lose_controller()
        for channel in self.live:
            channel.keys.clear()

    def place(self, channel: Channel) -> None:
        """Ring a phone."""
        self.far_end.channels[channel.id] = channel
        what = f"attempt {channel.attempt_id}" if channel.attempt_id else f"for {channel.for_call}"
        self.far_end.see(What.INVITE, channel.id, what)
        super().place(channel)

    @asynccontextmanager
    async def _leg(self, channel: Channel, ring_timeout_s: float) -> AsyncIterator[ScriptedCall]:
        call = SeenCall(self, channel, ring_timeout_s=ring_timeout_s)
        self._followed.add(channel.id)
        try:
            yield call
        finally:
            await call.hang_up()

    def _found(self, channel: Channel) -> FoundCall:
        return replace(super()._found(channel), call=SeenCall(self, channel))

    def _channel(self, name: str, role: Role, person: Person, facts: CallFacts) -> Channel:
        nth = len(self.of(role)) + 1
        channel = SeenChannel(f"{name}-{nth}", role, nth, person, facts, self._language)
        channel.far_end = self.far_end
        self.channels.append(channel)
        return channel
