"""Ringing the phone of an agent who was reserved, and keeping the agent's state true while it rings."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from controller.journeys.house import House, Queue
    from controller.ports.calls import OutboundCall
    from controller.ports.line import Reservation


@dataclass(frozen=True, slots=True)
class AgentLeg:
    """The call to the agent's phone, and the reservation it stands on."""

    call: OutboundCall
    reservation: Reservation

    async def answered(self) -> bool:
        """Ring until the agent answers (True) or does not (False, and the agent is paused for a while)."""
        self.reservation.rings()
        failure = await self.call.dial()
        if failure is not None:
            self.reservation.missed()
            return False
        self.reservation.answered()
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
