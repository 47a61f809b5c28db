"""A telephone system in memory: people who act out a script, and the calls that a controller has with them.

What the ports promise of `Call`, `OutboundCall`, `Telephony` and `Surveyor` is promised here too, and
tests/contract/calls/ holds both to it. The channels live on when their controller is gone, as they do on a
PBX; the next controller finds them with `survey`.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from controller.domain.outcome import Outcome
from controller.ports.calls import CallFacts, Stage
from controller.ports.survey import FoundCall, Role
from tests.journeys.scripted_call import Moment, ScriptedCall, Step
from tests.journeys.scripted_channel import Channel, Person
from tests.journeys.scripted_shelf import ScriptedShelf

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from datetime import datetime

    from controller.domain.agents import Agent
    from controller.domain.promise import Attempt
    from controller.ports.clock import Clock

DATABASE = "database"
TRUNK = "carrier"
"""The endpoint through which callers come."""


class ScriptedTelephony:
    """The PBX. `agents`, `customers` and `externals` say who is behind a phone, by agent name and by number.

    No other number than those in `externals` is one that the settings name.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        language: str = "ja",
        prompt_s: Callable[[str], float] = lambda _prompt: 1.0,
    ) -> None:
        self._clock = clock
        self._language = language
        self.prompt_s = prompt_s
        self.epoch = 0
        self.system_name = ""
        """What the ids of its channels begin with, where there are several PBXs."""
        self.agents: dict[str, Person] = {}
        self.customers: dict[str, Person] = {}
        self.externals: dict[str, Person] = {}
        self.channels: list[Channel] = []
        self.steps: list[Step] = []
        self.plans: list[Callable[[Step, Moment], None]] = []
        self.talks: set[str] = set()
        """Each is asked at each moment of each step, and may do something."""
        self.shelf = ScriptedShelf()
        self.overlaps: list[str] = []
        """Numbers to which a second call was placed while another was up."""
        self.gate: Callable[[str], Outcome | None] = lambda _number: None
        self.on_new_call: Callable[[ScriptedCall], None] = lambda _call: None
        self.on_agent_menu: Callable[[ScriptedCall, str], None] = lambda _call, _code: None
        self.on_agent_phone: Callable[[str, bool], None] = lambda _agent, _idle: None
        self._followed: set[str] = set()

    # -- what people do

    def rings(
        self,
        person: Person,
        *,
        number: str | None = "09012345678",
        dialled: str = "0312345678",
        endpoint: str = TRUNK,
    ) -> Channel:
        """Somebody calls the service number."""
        facts = CallFacts(number, dialled, self._clock.now(), endpoint)
        channel = self._channel("caller", Role.CALLER, person, facts)
        channel.begin()
        self._followed.add(channel.id)
        self.on_new_call(ScriptedCall(self, channel))
        return channel

    def agent_dials(self, agent: str, code: str, person: Person, *, endpoint: str | None = None) -> Channel:
        """Let an agent's phone (endpoint `phone-NAME`) dial one of the codes for agents, such as `11`."""
        facts = CallFacts(None, code, self._clock.now(), endpoint or f"phone-{agent}")
        channel = self._channel("agent", Role.AGENT, person, facts)
        channel.agent, channel.menu_code = agent, code
        channel.on_change = lambda changed: self.on_agent_phone(agent, not changed.live)
        channel.begin()
        self._followed.add(channel.id)
        self.on_agent_menu(ScriptedCall(self, channel), code)
        return channel

    def of(self, role: Role) -> list[Channel]:
        """Return every channel that there was, by role, oldest first."""
        return [channel for channel in self.channels if channel.role is role]

    @property
    def live(self) -> list[Channel]:
        """The channels that are there now."""
        return [channel for channel in self.channels if channel.live]

    def lose_controller(self) -> None:
        """Let the controller die: from now on none of its calls does anything."""
        self.epoch += 1
        self._followed.clear()

    # -- the ports

    @asynccontextmanager
    async def agent_leg(
        self, agent: Agent, *, for_call: str, shown_number: str | None, ring_timeout_s: float
    ) -> AsyncIterator[ScriptedCall]:
        """Prepare a call to an agent."""
        facts = CallFacts(None, shown_number or "", self._clock.now(), agent.endpoint)
        channel = self._channel("agent", Role.AGENT, self.agents[agent.name], facts)
        channel.agent, channel.for_call, channel.shown = agent.name, for_call, shown_number
        channel.on_change = lambda changed: self.on_agent_phone(agent.name, not changed.live)
        async with self._leg(channel, ring_timeout_s) as call:
            yield call

    @asynccontextmanager
    async def customer_leg(
        self, attempt: Attempt, *, queue: str, language: str, since: datetime, ring_timeout_s: float
    ) -> AsyncIterator[ScriptedCall]:
        """Prepare a call to a customer."""
        person = self.customers.get(attempt.number, Person())
        channel = self._channel("customer", Role.CUSTOMER, person, CallFacts(None, attempt.number, since, TRUNK))
        channel.id, channel.attempt_id, channel.language = attempt.channel_id, attempt.id, language
        channel.marks["queue"] = queue
        async with self._leg(channel, ring_timeout_s) as call:
            yield call

    @asynccontextmanager
    async def external_leg(
        self, number: str, *, for_call: str, shown_number: str | None, ring_timeout_s: float
    ) -> AsyncIterator[ScriptedCall]:
        """Prepare a call to a number outside."""
        person = self.externals.get(number, Person())
        facts = CallFacts(None, number, self._clock.now(), TRUNK)
        channel = self._channel("external", Role.EXTERNAL, person, facts)
        channel.for_call, channel.shown = for_call, shown_number
        async with self._leg(channel, ring_timeout_s) as call:
            yield call

    async def survey(self) -> list[FoundCall]:
        """Return what is live and followed by nobody. An agent who was dialling a code begins it anew.

        Unless they have become an agent's leg meanwhile, by the marks of one: they redial by hand.
        """
        strangers = [channel for channel in self.live if channel.id not in self._followed]
        self._followed |= {channel.id for channel in strangers}
        legs = [channel for channel in strangers if channel.menu_code is None or "agent" in channel.marks]
        for channel in strangers:
            if channel not in legs and channel.menu_code is not None:
                self.on_agent_menu(ScriptedCall(self, channel), channel.menu_code)
        return [self._found(channel) for channel in legs]

    @property
    def talked(self) -> frozenset[str]:
        """The ids of the calls whose talk was begun and never ended in order."""
        return frozenset(self.talks)

    async def tidy(self) -> None:
        """Take down what is left of talks that are over."""
        self.talks &= {channel.id for channel in self.live}

    # -- for the calls

    def reached(self, step: Step, moment: Moment) -> None:
        """Write down the step and do what was planned for it."""
        if moment is Moment.BEFORE:
            self.steps.append(step)
        for plan in self.plans:
            plan(step, moment)

    def place(self, channel: Channel) -> None:
        """Ring a phone; two calls to one number at the same time are written down."""
        number = channel.facts.dialled
        customers = [other for other in self.live if other.role is Role.CUSTOMER]
        if channel.role is Role.CUSTOMER and any(other.facts.dialled == number for other in customers):
            self.overlaps.append(number)
        channel.ring()

    def refusal(self, channel: Channel) -> Outcome | None:
        """Ask the gate about a customer's number, or about one outside."""
        number = channel.facts.dialled
        if channel.role is Role.EXTERNAL and number not in self.externals:
            return Outcome.NOT_ALLOWED
        return self.gate(number) if channel.role is Role.CUSTOMER else None

    @asynccontextmanager
    async def transaction(self, name: str) -> AsyncIterator[None]:
        """Let a transaction of the database be a step of the story too, with a moment before and one after it."""
        epoch = self.epoch
        step = Step(DATABASE, 1, sum(each.who == DATABASE for each in self.steps), name)
        await self._reach(epoch, step, Moment.BEFORE)
        yield
        await self._reach(epoch, step, Moment.AFTER)

    async def _reach(self, epoch: int, step: Step, moment: Moment) -> None:
        if epoch == self.epoch:
            self.reached(step, moment)
        if epoch != self.epoch:
            await asyncio.get_running_loop().create_future()  # A dead controller never gets any further.

    @asynccontextmanager
    async def _leg(self, channel: Channel, ring_timeout_s: float) -> AsyncIterator[ScriptedCall]:
        call = ScriptedCall(self, channel, ring_timeout_s=ring_timeout_s)
        self._followed.add(channel.id)
        try:
            yield call
        finally:
            await call.hang_up()

    def _channel(self, name: str, role: Role, person: Person, facts: CallFacts) -> Channel:
        nth = len(self.of(role)) + 1
        channel = Channel(f"{self.system_name}{name}-{nth}", role, nth, person, facts, self._language)
        self.channels.append(channel)
        return channel

    def _found(self, channel: Channel) -> FoundCall:
        stage = channel.marks.get("stage")
        return FoundCall(
            call=ScriptedCall(self, channel),
            role=channel.role,
            stage=Stage(stage) if stage else None,
            queue=channel.marks.get("queue"),
            urgent=bool(channel.marks.get("urgent")),
            agent=channel.agent or channel.marks.get("agent") or None,
            for_call=channel.marks.get("call") or channel.for_call,
            attempt_id=channel.attempt_id,
            joined_with=frozenset() if channel.peer is None or channel.peer.gone else frozenset({channel.peer.id}),
        )
