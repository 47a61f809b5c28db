"""A telephony on a real PBX, without the rest of the controller: it dials, and the far end counts."""

from __future__ import annotations

import asyncio
import itertools
import random
import re
from contextlib import asynccontextmanager
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Any

from controller.asterisk.ari.client import AriClient
from controller.asterisk.ari.link import HEARTBEAT_S, SILENT_BEATS
from controller.asterisk.languages import Languages
from controller.asterisk.legs import DialRights
from controller.asterisk.telephony import AriTelephony
from controller.asterisk.trunks import Trunk, Trunks
from controller.domain.gate import CallingHours, Gate
from controller.domain.phone_number import NumberPlan
from controller.domain.promise import Attempt
from controller.provision.site import CONTROL_HOST
from controller.system_clock import SystemClock
from lab.phone import Answer, PhoneShelf

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine

    from controller.asterisk.ari.events import Event
    from controller.domain.evidence import Evidence
    from controller.domain.outcome import Outcome
    from controller.provision import Site
    from lab.pbx import Asterisk
    from lab.phone import Phone

SINCE = datetime(2026, 4, 1, 3, tzinfo=UTC)
NOTICED_S = HEARTBEAT_S * (SILENT_BEATS + 3)
_serial = itertools.count(1)


class Wire:
    """A telephony on a PBX, and the far end of its calls."""

    def __init__(
        self, site: Site, carrier: Asterisk, phone: Phone, *, ari_port: int, trunks: tuple[Trunk, ...]
    ) -> None:
        self.phone = phone
        self._carrier = carrier
        self._tasks: set[asyncio.Task[None]] = set()
        self._up, self._down = asyncio.Event(), asyncio.Event()
        clock = SystemClock()
        self.client = AriClient(
            f"http://{CONTROL_HOST}:{ari_port}",
            "orikaeshi",
            site.ari_user,
            site.ari_password,
            on_event=self._take,
            on_connected=self._up.set,
            on_disconnected=self._lost,
            clock=clock,
            rng=random.Random(5),  # noqa: S311 - spreads reconnects
            request_timeout_s=2.0,
        )
        self.trunks = Trunks(trunks or [Trunk(site.trunk, site.service_number, calls_per_s=50)], clock)
        self.telephony = AriTelephony(
            self.client,
            trunks=self.trunks,
            gate=Gate(NumberPlan(), CallingHours(time(0), time(0))),
            rights=DialRights(lambda: True, self._nobody_is_blocked),
            languages=Languages({"main": "ja"}, {}),
            agent_endpoints=[],
            clock=clock,
            new_id=lambda: f"wire-{next(_serial)}",
            spawn=self._spawn,
        )

    async def noticed(self) -> None:
        """Wait until the loss of the line is known here."""
        async with asyncio.timeout(NOTICED_S):
            await self._down.wait()

    async def connected(self) -> None:
        """Wait until the line is up, and look at what went on meanwhile, as recovery does."""
        async with asyncio.timeout(30):
            await self._up.wait()
        await self.telephony.prepare()
        await self.telephony.survey()

    async def dial(self, number: str | None = None) -> tuple[Outcome | None, Evidence]:
        """Call a number, or the phone, with a new attempt, until it answers or the call is over."""
        attempt = Attempt(
            f"lost-{next(_serial)}", "promise-1", f"+81{(number or self.phone.user)[1:]}", "agent-1", SINCE
        )
        async with self.telephony.customer_leg(
            attempt, queue="main", language="ja", since=SINCE, ring_timeout_s=20
        ) as leg:
            return await leg.dial(), leg.evidence

    async def invites(self) -> int:
        """Return how many calls have come to the telephone network in all."""
        said = await self._carrier.cli("core show calls")
        found = re.search(r"(\d+) calls? processed", said)
        assert found, said
        return int(found[1])

    def _take(self, event: Event) -> None:
        self.telephony.on_event(event)

    def _lost(self) -> None:
        self._up.clear()
        self._down.set()
        self.telephony.connection_lost()

    async def _nobody_is_blocked(self, number: str) -> bool:
        del number
        return False

    def _spawn(self, story: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(story)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


@asynccontextmanager
async def a_wire(
    site: Site, carrier: Asterisk, *, ari_port: int | None = None, trunks: tuple[Trunk, ...] = ()
) -> AsyncIterator[Wire]:
    """Connect, with a customer's phone at the other end that answers. `trunks`: those instead of the site's own."""
    async with PhoneShelf() as shelf:
        line = site.customers[0]
        phone = await shelf.add(line.user, line.password, site.host, site.ports.carrier_sip)
        await phone.register()
        phone.when_rung = Answer()
        wire = Wire(site, carrier, phone, ari_port=ari_port or site.ports.ari, trunks=trunks)
        running = asyncio.create_task(wire.client.run())
        try:
            await wire.connected()
            yield wire
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await wire.telephony.leave()
