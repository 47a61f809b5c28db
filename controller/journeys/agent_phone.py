"""Ringing the phone of an agent who was reserved, and keeping the agent's state true while it rings."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.domain.digits import ONE_KEY

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from controller.journeys.house import House, Queue
    from controller.ports.calls import Call, OutboundCall
    from controller.ports.line import Reservation


@dataclass(slots=True)
class AgentLeg:
    """The call to the agent's phone, and the reservation it stands on."""

    call: OutboundCall
    reservation: Reservation
    is_up: bool = False

    async def answered(self) -> bool:
        """Ring until the agent answers (True) or does not (False, and the agent is paused for a while)."""
        if not await self.picked_up():
            return False
        self.reservation.answered()
        return True

    async def picked_up(self) -> bool:
        """Do the same; but an agent who picks up still counts as rung, until `reservation` is told otherwise."""
        self.reservation.rings()
        failure = await self.call.dial()
        if failure is not None:
            self.reservation.missed()
            return False
        self.is_up = True
        return True


@asynccontextmanager
async def ring_agent(
    reservation: Reservation, for_call: str, queue: Queue, house: House, *, shown_number: str | None
) -> AsyncIterator[AgentLeg]:
    """Prepare the call to the reserved agent; it is hung up when the context is left."""
    async with house.telephony.agent_leg(
        reservation.agent,
        for_call=for_call,
        shown_number=shown_number,
        ring_timeout_s=queue.agent_ring_timeout_s,
    ) as call:
        yield AgentLeg(call, reservation)


async def say_until_key(agent: Call, *words: str) -> None:
    """Say something to an agent, who can cut it short with any key. Raises CallerHungUp."""
    if words:
        await agent.ask(*words, keypad=ONE_KEY, first_key_timeout_s=0)
