"""Agents who call a customer back by hand: who may, for which promise, and what becomes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from controller.domain.agents import BUSY
from controller.domain.line import WaiterKind
from controller.journeys import prompts
from controller.journeys.redial_by_hand import promise_to_redial, redial_by_hand

if TYPE_CHECKING:
    from controller.journeys.dialled import Dialled, NotDialled
    from controller.journeys.house import House
    from controller.ports.calls import Call
    from controller.workers.agent_desk import AgentDesk
    from controller.workers.dialer import Dialer

log = structlog.get_logger(__name__)


class RedialDesk:
    """Gives an agent who dialled a customer's number to the dialer, with the promise of that number."""

    def __init__(self, house: House, desk: AgentDesk, dialer: Dialer) -> None:
        self._house = house
        self._desk = desk
        self._dialer = dialer

    async def redial(self, call: Call, name: str, entered: str) -> None:
        """Call the customer whose number the agent `name` dialled, or tell the agent why not. Raises CallerHungUp.

        Only who is signed in may, for a queue that they serve; a pause does not matter. Who is being given a call at
        this moment is not free for it, and the limit of calls at the same time holds for this one too.
        """
        agent = self._desk.agent(name)
        if not agent.signed_in:
            await call.play(prompts.AGENT_NOT_POSSIBLE)
            return
        queues = [queue for queue in self._house.queues if queue in agent.queues]
        promise = await promise_to_redial(call, entered, queues, self._house)
        if promise is None:
            return
        queue = self._house.queues[promise.queue]
        # Asked last: from here to the reservation nothing is waited for. Of a call on its way the claim will tell.
        has_room = self._dialer.is_below_limit or promise.id in self._dialer.in_hand
        is_free = has_room and self._desk.state_of(name) not in BUSY
        reservation = None
        if is_free:
            reservation = self._desk.resume(name, queue, promise.id, WaiterKind.PROMISE, goes_on=False)
        if reservation is None:
            await call.play(prompts.AGENT_NOT_POSSIBLE)
            return
        log.info("an agent redials by hand", agent=name, promise_id=promise.id)

        async def story() -> Dialled | NotDialled:
            return await redial_by_hand(call, promise, reservation, queue, self._house)

        await self._dialer.follow(promise, story)
