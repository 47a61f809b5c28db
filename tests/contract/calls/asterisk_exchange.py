"""A real Asterisk with real SIP phones, seen through the controller's own telephony."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections import Counter
from contextlib import asynccontextmanager
from datetime import time
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from controller.asterisk.ari.client import AriClient
from controller.asterisk.languages import Languages
from controller.asterisk.outbound_call import Trunk
from controller.asterisk.telephony import AriTelephony
from controller.domain.gate import CallingHours, Gate
from controller.domain.phone_number import NumberPlan
from controller.system_clock import SystemClock
from lab.pbx import running_pair
from lab.phone import Answer, Busy, Ignore, PhoneShelf
from tests.contract.calls.exchange import SINCE, an_agent, an_attempt

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine, Mapping
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from controller.asterisk.ari.events import Event
    from controller.ports.calls import Call, OutboundCall
    from controller.ports.survey import FoundCall
    from controller.provision.site import Site
    from lab.phone import Phone, PhoneCall, WhenRung
    from tests.contract.calls.exchange import FarEnd

REACTIONS: Mapping[str, WhenRung] = MappingProxyType({"answers": Answer(), "busy": Busy(), "ignores": Ignore()})
_serial = itertools.count(1)


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
            on_event=self._take,
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
        self._agent.when_rung, self._next_rung = REACTIONS[when_rung], self._agent
        return self._telephony.agent_leg(
            an_agent(), for_call="call-1", shown_number="09012340001", ring_timeout_s=ring_timeout_s
        )

    def customer_leg(
        self, when_rung: str, *, attempt_id: str, number: str | None = None, ring_timeout_s: float = 10
    ) -> AbstractAsyncContextManager[OutboundCall]:
        """Prepare a leg to the customer's phone, through the telephone network."""
        self._customer.when_rung, self._next_rung = REACTIONS[when_rung], self._customer
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

    def _take(self, event: Event) -> None:
        self._telephony.on_event(event)

    def _spawn(self, story: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(story)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


@asynccontextmanager
async def asterisk_exchange(home: Path) -> AsyncIterator[AsteriskExchange]:
    """Run a PBX, a telephone network, and three registered phones for the length of the block."""
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
