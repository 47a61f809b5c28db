"""Two exchanges that the suite of the call ports is played on: the scripted one, and a real Asterisk with real phones."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections import Counter
from contextlib import asynccontextmanager
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Any, Protocol

from controller.asterisk.ari.client import AriClient
from controller.asterisk.telephony import AriTelephony, Languages, Trunk
from controller.domain.agents import Agent, AgentState
from controller.domain.gate import CallingHours, Gate
from controller.domain.outcome import Outcome
from controller.domain.phone_number import NumberPlan
from controller.domain.promise import Attempt
from controller.ports.survey import Role
from controller.system_clock import SystemClock
from lab.phone import Answer, Busy, Ignore, PhoneShelf
from lab.pbx import running_pair
from tests.journeys.scripted import ScriptedTelephony
from tests.journeys.scripted_channel import Person

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from controller.ports.calls import Call, OutboundCall
    from controller.ports.survey import FoundCall
    from controller.provision_site import Site
    from lab.phone import Phone, PhoneCall
    from tests.journeys.scripted_channel import Channel

SINCE = datetime(2026, 4, 1, 3, tzinfo=UTC)
_serial = itertools.count(1)


class FarEnd(Protocol):
    """The person on the other side of a call."""

    async def press(self, keys: str) -> None:
        """Press keys."""

    async def hang_up(self) -> None:
        """Hang up."""

    async def over(self) -> None:
        """Return when the call has ended, as this person sees it."""

    async def hears_music(self) -> bool:
        """Tell whether hold music is heard from now on."""


class Exchange(Protocol):
    """What the suite asks of an exchange."""

    async def call_in(self, *, withheld: bool = False) -> tuple[Call, FarEnd]:
        """Somebody calls the service number; return both ends of the call, which is not answered yet."""

    def agent_leg(self, when_rung: str, *, ring_timeout_s: float = 10) -> AbstractAsyncContextManager[OutboundCall]:
        """Prepare a call to an agent, who "answers", is "busy" or lets it ring ("ignores")."""

    def customer_leg(
        self, when_rung: str, *, attempt_id: str, number: str | None = None, ring_timeout_s: float = 10
    ) -> AbstractAsyncContextManager[OutboundCall]:
        """Prepare a call to a customer."""

    async def rung(self) -> FarEnd:
        """Return the far end of the leg whose phone rings, or was rung, next."""

    async def successor(self) -> list[FoundCall]:
        """Have another controller take over without a goodbye, and return what it finds."""

    async def clear(self) -> None:
        """Hang everybody up."""


# -- scripted


class ScriptedFarEnd:
    """A channel of the scripted exchange."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    async def press(self, keys: str) -> None:
        """Press keys."""
        self._channel.press(keys)

    async def hang_up(self) -> None:
        """Hang up."""
        self._channel.hang_up("person")

    async def over(self) -> None:
        """Wait for the end."""
        await self._channel.until(lambda: False)

    async def hears_music(self) -> bool:
        """Tell where the channel is."""
        return self._channel.held_in is not None


class ScriptedExchange:
    """`ScriptedTelephony`, in real time."""

    _PEOPLE = {"answers": Person(answers_after_s=0.1, talks_s=None), "busy": Person(refuses=Outcome.BUSY)}

    def __init__(self) -> None:
        self._pbx = ScriptedTelephony(SystemClock(), prompt_s=0.4)
        self._rung = 0
        self._pbx.gate = lambda number: None if number.startswith("+81") else Outcome.NOT_ALLOWED

    async def call_in(self, *, withheld: bool = False) -> tuple[Call, FarEnd]:
        """Make a channel."""
        calls: list[Call] = []
        self._pbx.on_new_call = calls.append
        number = None if withheld else "09012340001"
        channel = self._pbx.rings(Person(talks_s=None), number=number, dialled="0312345678")
        return calls[0], ScriptedFarEnd(channel)

    def agent_leg(self, when_rung: str, *, ring_timeout_s: float = 10) -> AbstractAsyncContextManager[OutboundCall]:
        """Prepare a leg."""
        self._pbx.agents["agent-1"] = self._person(when_rung)
        return self._pbx.agent_leg(
            an_agent(), for_call="call-1", shown_number="09012340001", ring_timeout_s=ring_timeout_s
        )

    def customer_leg(
        self, when_rung: str, *, attempt_id: str, number: str | None = None, ring_timeout_s: float = 10
    ) -> AbstractAsyncContextManager[OutboundCall]:
        """Prepare a leg."""
        attempt = an_attempt(attempt_id, number or "+819012340002")
        self._pbx.customers[attempt.number] = self._person(when_rung)
        return self._pbx.customer_leg(attempt, queue="main", language="ja", since=SINCE, ring_timeout_s=ring_timeout_s)

    async def rung(self) -> FarEnd:
        """Return the next leg that was placed."""
        self._rung += 1
        return ScriptedFarEnd(self._legs()[self._rung - 1])

    async def successor(self) -> list[FoundCall]:
        """Count up the epoch."""
        self._pbx.lose_controller()
        return await self._pbx.survey()

    async def clear(self) -> None:
        """Hang everybody up."""
        for channel in self._pbx.live:
            channel.hang_up("person")
        self._rung = len(self._legs())

    def _legs(self) -> list[Channel]:
        return [channel for channel in self._pbx.channels if channel.placed and channel.role is not Role.CALLER]

    def _person(self, when_rung: str) -> Person:
        return self._PEOPLE.get(when_rung, Person(answers_after_s=None))


# -- real


class PhoneFarEnd:
    """A call of a real phone."""

    def __init__(self, call: PhoneCall) -> None:
        self._call = call

    async def press(self, keys: str) -> None:
        """Press keys, as RFC 4733 events."""
        await self._call.press(keys, gap_ms=60)

    async def hang_up(self) -> None:
        """Send CANCEL or BYE."""
        await self._call.hang_up()

    async def over(self) -> None:
        """Wait for the end."""
        await self._call.ended

    async def hears_music(self) -> bool:
        """Listen for two seconds: music is not silent for half of one."""
        await self._call.answered()
        from_s = self._call.heard.duration_s + 0.3
        began_s = await self._call.heard.until_sound(5, from_s=from_s)
        await self._call.heard.until_sound(5, from_s=began_s + 2)
        return self._call.heard.longest_silence_s(began_s, began_s + 2) < 0.5


class AsteriskExchange:
    """`AriTelephony` over `AriClient`, on the PBX of a site."""

    _REACTIONS = {"answers": Answer(), "busy": Busy(), "ignores": Ignore()}

    def __init__(self, site: Site, caller: Phone, agent: Phone, customer: Phone) -> None:
        self._site = site
        self._caller, self._agent, self._customer = caller, agent, customer
        self._arrived: asyncio.Queue[Call] = asyncio.Queue()
        self._next_rung: Phone = agent
        self._handed_out: Counter[Phone] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self._running: asyncio.Task[None] | None = None
        self._telephony: AriTelephony

    async def start(self) -> None:
        """Connect a controller's telephony, in place of the one before."""
        clock, connected = SystemClock(), asyncio.Event()
        client = AriClient(
            self._site.ari_url,
            "orikaeshi",
            self._site.ari_user,
            self._site.ari_password,
            on_event=lambda event: self._telephony.on_event(event),
            on_connected=connected.set,
            on_disconnected=lambda: None,
            clock=clock,
            rng=random.Random(1),  # noqa: S311 - spreads reconnects
        )
        self._telephony = AriTelephony(
            client,
            trunk=Trunk(self._site.trunk, self._site.service_number),
            gate=Gate(NumberPlan(), CallingHours(time(0), time(0))),
            languages=Languages({"main": "ja"}, {self._site.service_number: "ja"}),
            agent_endpoints=["agent-1"],
            clock=clock,
            new_id=lambda: f"contract-{next(_serial)}",
            spawn=self._spawn,
        )
        self._telephony.on_new_call = self._arrived.put_nowait
        self._running = asyncio.create_task(client.run())
        await connected.wait()
        await self._telephony.prepare()

    async def stop(self) -> None:
        """Leave without hanging anybody up."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)

    async def call_in(self, *, withheld: bool = False) -> tuple[Call, FarEnd]:
        """Dial the service number, with 184 in front to withhold the own."""
        number = f"184{self._site.service_number}" if withheld else self._site.service_number
        phone_call = await self._caller.dial(number, timeout_s=20)
        async with asyncio.timeout(5):
            return await self._arrived.get(), PhoneFarEnd(phone_call)

    def agent_leg(self, when_rung: str, *, ring_timeout_s: float = 10) -> AbstractAsyncContextManager[OutboundCall]:
        """Prepare a leg to the agent's phone."""
        self._agent.when_rung, self._next_rung = self._REACTIONS[when_rung], self._agent
        return self._telephony.agent_leg(
            an_agent(), for_call="call-1", shown_number="09012340001", ring_timeout_s=ring_timeout_s
        )

    def customer_leg(
        self, when_rung: str, *, attempt_id: str, number: str | None = None, ring_timeout_s: float = 10
    ) -> AbstractAsyncContextManager[OutboundCall]:
        """Prepare a leg to the customer's phone, through the telephone network."""
        self._customer.when_rung, self._next_rung = self._REACTIONS[when_rung], self._customer
        attempt = an_attempt(attempt_id, number or f"+81{self._customer.user[1:]}")
        return self._telephony.customer_leg(
            attempt, queue="main", language="ja", since=SINCE, ring_timeout_s=ring_timeout_s
        )

    async def rung(self) -> FarEnd:
        """Wait until the phone rings."""
        call = await self._next_rung.rings(10)
        self._handed_out[self._next_rung] += 1
        return PhoneFarEnd(call)

    async def successor(self) -> list[FoundCall]:
        """Cut the connection and connect another one."""
        await self.stop()
        await self.start()
        return await self._telephony.survey()

    async def clear(self) -> None:
        """Hang up every phone."""
        for phone in (self._caller, self._agent, self._customer):
            for call in [call for call in phone.calls if call.ending is None]:
                await call.hang_up()
                await call.ended
            while self._handed_out[phone] < sum(call.incoming for call in phone.calls):
                await phone.rings(1)
                self._handed_out[phone] += 1

    def _spawn(self, story: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(story)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


@asynccontextmanager
async def asterisk_exchange(home: Path) -> AsyncIterator[AsteriskExchange]:
    """A PBX, a telephone network, and three registered phones, for the length of the block."""
    async with running_pair(home) as (site, _, _), PhoneShelf() as shelf:
        agent = await shelf.add(site.agents[0].user, site.agents[0].password, site.host, site.ports.sip)
        caller, customer = [
            await shelf.add(each.user, each.password, site.host, site.ports.carrier_sip) for each in site.customers[:2]
        ]
        for phone in (agent, caller, customer):
            await phone.register()
        exchange = AsteriskExchange(site, caller, agent, customer)
        await exchange.start()
        yield exchange
        await exchange.stop()


def an_agent() -> Agent:
    """Return the agent whose phone is rung."""
    return Agent("agent-1", "agent-1", frozenset({"main"}), AgentState.RINGING, SINCE)


def an_attempt(attempt_id: str, number: str) -> Attempt:
    """Return an attempt at a number."""
    return Attempt(attempt_id, "promise-1", number, "agent-1", SINCE)
