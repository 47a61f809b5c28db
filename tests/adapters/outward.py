"""The telephony on a server that speaks ARI: what is sent for a call, and what is made of the events that come back."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from controller.asterisk.languages import Languages
from controller.asterisk.legs import DialRights, OutboundStyle
from controller.asterisk.telephony import AriTelephony
from controller.asterisk.trunks import Trunk, Trunks
from controller.domain.gate import CallingHours, Gate
from controller.domain.phone_number import NumberPlan
from controller.domain.promise import Attempt
from controller.ports.promises import StoreUnavailableError
from controller.system_clock import SystemClock
from tests.adapters.ari_server import AriServer, ari_server, event, wired

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from contextlib import AbstractAsyncContextManager

    from controller.asterisk.ari.events import Event
    from controller.asterisk.outbound_call import AriOutboundCall
    from tests.adapters.ari_server import Wired

HOURS = CallingHours(time(9), time(20), ZoneInfo("Asia/Tokyo"))
NOON = datetime(2026, 4, 1, 3, tzinfo=UTC)
NIGHT = datetime(2026, 4, 1, 15, tzinfo=UTC)
NUMBER = "+819012345678"
OUTSIDE = "0120123456"
PATIENCE_S = 10
"""A call that nobody ends would be waited for for ever."""
FIRST = Trunk("carrier", "03-1234\r\n5678", calls_per_s=1000)
SECOND = Trunk("backup", "0311112222", national=False, calls_per_s=1000)


class ToldClock(SystemClock):
    """Waits like the machine's clock, and shows the time that it is told."""

    def __init__(self) -> None:
        self.shows = NOON

    def now(self) -> datetime:
        """Return it."""
        return self.shows


@dataclass
class World:
    """What speaks for or against a call. `meanwhile` happens while the database is asked."""

    leads: bool = True
    blocked: set[str] = field(default_factory=set)
    database_is_up: bool = True
    asked: list[str] = field(default_factory=list)
    was_asked: asyncio.Event = field(default_factory=asyncio.Event)
    meanwhile: Callable[[], Awaitable[None]] | None = None

    async def is_blocked(self, number: str) -> bool:
        """Look it up."""
        self.asked.append(number)
        self.was_asked.set()
        if self.meanwhile is not None:
            await self.meanwhile()
        if not self.database_is_up:
            raise StoreUnavailableError("the database is away")
        return number in self.blocked


class Outward:
    """A telephony, the server that it speaks with, and the world around them."""

    def __init__(self, server: AriServer, wire: Wired, options: dict[str, Any]) -> None:
        self.server, self.wire = server, wire
        self.world, self.clock = World(), ToldClock()
        self.trunks = Trunks(options.pop("trunks", (FIRST, SECOND)), SystemClock())
        self.telephony = AriTelephony(
            wire.client,
            trunks=self.trunks,
            gate=Gate(
                NumberPlan(), CallingHours(time(9), time(20), ZoneInfo("Asia/Tokyo")), external=frozenset({OUTSIDE})
            ),
            rights=DialRights(lambda: self.world.leads, self.world.is_blocked),
            languages=Languages({"main": "ja"}, {}),
            agent_endpoints=[],
            clock=self.clock,
            new_id=lambda: "leg-1",
            spawn=lambda story: story.close(),
            outbound={"machines": OutboundStyle("0120-000-111", detect_machine=True, machine_message=True)},
            **options,
        )

    def leg(self, attempt_id: str = "a1", **changes: Any) -> AbstractAsyncContextManager[AriOutboundCall]:
        """Prepare a call to a customer."""
        details: dict[str, Any] = {"queue": "main", "language": "ja", "since": NOON, "ring_timeout_s": 20.0}
        attempt = Attempt(attempt_id, "p1", changes.pop("number", NUMBER), "alice", NOON)
        return self.telephony.customer_leg(attempt, **details | changes)

    async def waiting(self, calls: int) -> None:
        """Return once so many calls are on the first trunk, or wait for its pace."""
        async with asyncio.timeout(5):
            while self.trunks.status()[0].calls < calls:  # noqa: ASYNC110 - nothing tells of it: it is a question
                await asyncio.sleep(0)

    @property
    def originated(self) -> list[dict[str, Any]]:
        """Return the originates that the server got: their query and variables."""
        return [
            {pair["name"]: pair["value"] for pair in asked["query_strings"]} | {"body": asked.get("message_body", "")}
            for asked in self.server.requests
            if asked["method"] == "POST"
        ]

    async def asked_for(self, attempt_id: str = "a1") -> None:
        """Wait until the call was asked for."""
        async with asyncio.timeout(5):
            await self.server.asked(f"channels/customer-{attempt_id}")

    async def tell(self, kind: str, *, attempt_id: str = "a1", state: str = "Down", **fields: Any) -> None:
        """Send an event of the customer's channel."""
        marks = fields.pop("channelvars", {})
        channel = {"id": f"customer-{attempt_id}", "name": "PJSIP/carrier-1", "state": state, "channelvars": marks}
        if kind == "Dial":
            fields["peer"] = channel
        await self.server.send(event(kind, channel=channel, **fields))


@asynccontextmanager
async def outward(**options: Any) -> AsyncIterator[Outward]:
    """Run a server and a telephony that is connected to it for the length of the block."""
    telephonies: list[AriTelephony] = []

    def take(told: Event) -> None:
        telephonies[0].on_event(told)

    async with asyncio.timeout(PATIENCE_S), ari_server() as server, wired(server.port, on_event=take) as wire:
        made = Outward(server, wire, options)
        telephonies.append(made.telephony)
        await wire.until("up")
        yield made
        await made.telephony.leave()


def slow(trunk: Trunk, calls_per_s: float) -> Trunk:
    """Return a trunk at another pace."""
    return replace(trunk, calls_per_s=calls_per_s)
