"""A call centre's floor: agents' and customers' phones, and what is asked of them in test after test."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lab.phone import Answer, Ignore, NotRung, Phone, PhoneCall, PhoneShelf

if TYPE_CHECKING:
    from lab.stack import Stack

AGENT_HZ = 440.0
CALLER_HZ = 880.0


@dataclass
class Floor:
    """Two agents' phones, not registered; customers' phones, registered with the telephone network."""

    stack: Stack
    agents: list[Phone]
    customers: list[Phone]
    _used: list[Phone] = field(default_factory=list)

    @classmethod
    async def furnished(cls, stack: Stack, shelf: PhoneShelf) -> Floor:
        """Put the phones on their desks."""
        site = stack.site
        agents = [await shelf.add(a.user, a.password, site.host, site.ports.sip) for a in site.agents]
        customers = [await shelf.add(c.user, c.password, site.host, site.ports.carrier_sip) for c in site.customers]
        for phone in customers:
            await phone.register()
        return cls(stack, agents, customers)

    def customer(self) -> Phone:
        """Return a customer's phone that no test has used yet: numbers hold promises, and those outlive a call."""
        phone = next(phone for phone in self.customers if phone not in self._used)
        self._used.append(phone)
        phone.when_rung = Ignore()
        return phone

    async def signed_in(self, index: int = 0, *, answers: bool = True) -> Phone:
        """Register an agent's phone, which answers and says its tone, and wait until the controller knows it."""
        agent = self.agents[index]
        agent.when_rung = Answer(tone_hz=AGENT_HZ) if answers else Ignore()
        seen = len(self.stack.controller.lines)
        await agent.register()
        await self.stack.controller.logged(
            "agent state",
            since=seen,
            where=lambda line: line["agent"] == agent.user and line["state"] in {"available", "reserved", "ringing"},
        )
        return agent

    async def calling(self, phone: Phone) -> PhoneCall:
        """Call the service number and wait for the answer."""
        call = await phone.dial(self.stack.site.service_number, timeout_s=20)
        await call.answered()
        return call

    async def holding(self, phone: Phone) -> PhoneCall:
        """Call, and wait until the greeting and the offer are over and the music plays."""
        call = await self.calling(phone)
        await self.heard(call, "hold-offer")
        return call

    async def heard(self, call: PhoneCall, prompt: str, *, timeout_s: float = 20, from_s: float = 0) -> float:
        """Wait until a prompt was heard whole; return when it began, in seconds on the call's time line."""
        match = await call.heard.until_prompt(self.stack.prompts.file(prompt, "en"), timeout_s=timeout_s, from_s=from_s)
        return match.at_s

    async def promised(self, phone: Phone) -> str:
        """Call, leave the shown number, and return the promise's id once the caller heard of it."""
        call = await self.calling(phone)
        await call.press("11")
        await self.heard(call, "promise-made")
        await call.ended
        (row,) = self.rows("select id from promises where number = ?", e164(phone.user))
        return str(row["id"])

    async def promise_is(self, promise_id: str, state: str, *, timeout_s: float = 40) -> None:
        """Wait until the controller logged this state for this promise."""
        await self.stack.controller.logged(
            "promise",
            timeout_s=timeout_s,
            where=lambda line: line.get("promise_id") == promise_id and line["state"] == state,
        )

    def rows(self, query: str, *values: str) -> list[sqlite3.Row]:
        """Read the controller's database."""
        with closing(sqlite3.connect(f"file:{self.stack.site.home / 'orikaeshi.db'}?mode=ro", uri=True)) as database:
            database.row_factory = sqlite3.Row
            return database.execute(query, values).fetchall()

    def sent_sms(self, phone: Phone) -> list[dict[str, Any]]:
        """Return what the default gateway wrote for this phone's number."""
        path = self.stack.site.home / "sms-outbox.jsonl"
        lines = path.read_text("utf-8").splitlines() if path.exists() else []
        return [sms for sms in map(json.loads, lines) if sms["to"] == e164(phone.user)]

    async def clear(self) -> None:
        """Hang up every phone and sign the agents out; return once the controller has seen all of it."""
        for agent in self.agents:
            await agent.unregister()
        for call in [call for phone in (*self.agents, *self.customers) for call in phone.calls if call.ending is None]:
            await call.hang_up()
            await call.ended
        for phone in (*self.agents, *self.customers):
            await forget_rings(phone)
        for row in self.rows("select id from calls where ending is null"):
            await self.call_ended(str(row["id"]))

    async def call_ended(self, call_id: str) -> None:
        """Wait until the controller is done with a call."""
        await self.stack.controller.logged("call ended", where=lambda line: line.get("call_id") == call_id)


async def forget_rings(phone: Phone) -> None:
    """Forget incoming calls that nobody asked for, so that the next test does not get them."""
    with suppress(NotRung):
        while True:
            await phone.rings(timeout_s=0)


def e164(user: str) -> str:
    """Return a customer's number as it is kept."""
    return "+81" + user[1:]
