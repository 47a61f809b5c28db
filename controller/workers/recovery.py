"""Recovery: after the controller was away, the database and the PBX are read and every difference is settled.

Bridged calls go on; callers who hold keep their place; a customer's leg that is ringing or answered is taken up;
an attempt whose call is no longer there is settled as unknown, never dialled again to find out.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

import structlog

from controller.domain.line import WaiterKind
from controller.domain.outcome import Outcome
from controller.domain.promise import PromiseState, Wish
from controller.journeys.take_up import Found, take_up_callback, take_up_caller
from controller.ports.calls import Stage
from controller.ports.survey import FoundCall, Role

if TYPE_CHECKING:
    from collections.abc import Mapping

    from controller.domain.call_ending import Ending
    from controller.domain.promise import Promise
    from controller.journeys.dialled import Dialled
    from controller.journeys.house import House, Queue
    from controller.ports.promises import OpenAttempt
    from controller.ports.survey import Surveyor
    from controller.workers.agent_desk import AgentDesk, DeskReservation
    from controller.workers.dialer import Dialer
    from controller.workers.line_keeper import LineKeeper
    from controller.workers.reception import Reception

log = structlog.get_logger(__name__)


class Recovery:
    """Runs once at each (re)connection, before anything new is dialled."""

    def __init__(
        self,
        surveyor: Surveyor,
        house: House,
        queues: Mapping[str, Queue],
        desk: AgentDesk,
        keeper: LineKeeper,
        reception: Reception,
        dialer: Dialer,
    ) -> None:
        self._surveyor = surveyor
        self._house = house
        self._queues = queues
        self._desk = desk
        self._keeper = keeper
        self._reception = reception
        self._dialer = dialer

    async def settle(self, *, in_hand: frozenset[str]) -> None:
        """Take up what is live, settle what is not. `in_hand`: promises that a journey of this process follows."""
        # The database first: what the survey finds it finds once, so nothing may fail between it and the taking up.
        attempts = [
            opened
            for opened in await self._house.promises.open_attempts(self._house.pbx)
            if opened.promise.id not in in_hand
        ]
        found = await self._surveyor.survey()
        # Whoever a caller or customer can be joined with: an agent, or a number outside.
        agents = [call for call in found if call.role in {Role.AGENT, Role.EXTERNAL}]
        customers = {call.attempt_id: call for call in found if call.role is Role.CUSTOMER}
        used: set[str] = set()
        for opened in attempts:
            customer = customers.get(opened.attempt.id)
            if customer is None:
                await self._settle_vanished(opened)
                continue
            agent = _agent_with(customer, agents, opened.attempt.id)
            used |= {customer.call.id} | ({agent.call.id} if agent else set())
            self._take_up_callback(opened, customer, agent)
        callers = [call for call in found if call.role is Role.CALLER]
        settled = asyncio.Event()
        # Whoever came first asks the database first. Nobody is served before the line is whole, or that took too long.
        for caller in sorted(callers, key=lambda each: each.call.facts.arrived_at):
            # An agent who was only being rung for the caller is let go, and the caller holds on.
            agent = _agent_with(caller, agents, None)
            used |= {agent.call.id} if agent else set()
            self._take_up_caller(caller, agent, settled)
        try:
            for leg in found:
                if leg.role is not Role.CALLER and leg.call.id not in used:
                    log.info("a leg without a purpose is hung up", call_id=leg.call.id, role=leg.role.value)
                    await leg.call.hang_up()
            await self._settle_the_rest(found, len(attempts))
        finally:
            in_line = [each.call.id for each in callers if _is_in_line(each)]
            self._keeper.rejoining.expect(in_line, self._house.clock.now())
            settled.set()

    async def _settle_the_rest(self, found: list[FoundCall], attempts: int) -> None:
        # Callers whose journey never stopped are live too, though nobody had to find them.
        live = frozenset(call.call.id for call in found) | self._reception.in_hand
        now = self._house.clock.now()
        orphans = await self._house.calls.close_orphans(live, ended_at=now, pbx=self._house.pbx)
        await self._surveyor.tidy()
        waiting = await self._house.promises.waiting()
        self._tell_homeless(waiting)
        self._keeper.load(waiting)
        log.info("recovered", live=len(found), attempts=attempts, ended_meanwhile=orphans)

    def _tell_homeless(self, waiting: list[Promise]) -> None:
        """Say in the log which promises nobody will keep: their queue was taken out of the settings."""
        homeless = Counter(promise.queue for promise in waiting if promise.queue not in self._queues)
        for queue, count in homeless.items():
            log.error("a queue with open promises is not in the settings; nobody is called", queue=queue, count=count)

    async def _settle_vanished(self, opened: OpenAttempt) -> None:
        # Whoever died between joining the two and writing it down has left their talk behind.
        talked = opened.promise.state is PromiseState.CONNECTED or opened.attempt.channel_id in self._surveyor.talked
        wish = opened.wish or Wish(Outcome.TALKED if talked else Outcome.UNKNOWN)
        await self._dialer.pen.settle(
            opened.promise.id, wish.outcome, attempt_id=opened.attempt.id, later_s=wish.later_s
        )

    def _take_up_callback(self, opened: OpenAttempt, customer: FoundCall, agent: FoundCall | None) -> None:
        # A queue that is no longer in the settings: its promises are kept by the first one.
        queue = self._queues.get(opened.promise.queue) or self._house.first_queue
        reservation = self._reservation(agent, queue, opened.promise.id, WaiterKind.PROMISE)
        agent_call = agent.call if agent is not None else None
        log.info("a callback is taken up", promise_id=opened.promise.id, with_agent=agent_call is not None)

        async def story() -> Dialled:
            return await take_up_callback(
                opened,
                customer.call,
                agent_call,
                reservation,
                queue,
                self._house,
                joined=bool(customer.joined_with),
                stage=customer.stage,
            )

        self._dialer.take_up(opened, story)

    def _take_up_caller(self, caller: FoundCall, partner: FoundCall | None, settled: asyncio.Event) -> None:
        queue = self._queues.get(caller.queue or "")
        entrance = self._reception.entrance_for(caller.call.facts.dialled)
        found = Found(caller.stage, queue, entrance, urgent=caller.urgent, only_for=caller.agent or "")
        at_queue = queue or self._house.first_queue
        reservation = self._reservation(partner, at_queue, caller.call.id, WaiterKind.LIVE)
        partner_call = partner.call if partner is not None else None
        log.info("a caller is taken up", call_id=caller.call.id, stage=caller.stage and caller.stage.value)

        async def story() -> Ending:
            # Five hundred questions at once would keep what has to be settled before anybody is served waiting.
            await settled.wait()
            if partner is not None:
                await self._keeper.rejoining.over()
            try:
                return await take_up_caller(caller.call, found, partner_call, reservation, self._house)
            finally:
                self._keeper.gone(caller.call.id)

        # Who has a stage has been written down: that was waited for before their journey began.
        self._reception.see_through(caller.call, story, is_written_down=caller.stage is not None)

    def _reservation(
        self, agent: FoundCall | None, queue: Queue, waiter_id: str, kind: WaiterKind
    ) -> DeskReservation | None:
        if agent is None or agent.agent is None:
            return None
        return self._desk.resume(agent.agent, queue, waiter_id, kind)


def _is_in_line(caller: FoundCall) -> bool:
    return caller.stage is Stage.IN_LINE and not caller.joined_with


def _agent_with(party: FoundCall, agents: list[FoundCall], attempt_id: str | None) -> FoundCall | None:
    """Return the agent who talks with `party`, else one who was rung for the attempt.

    Who talks counts first: after the first agent of a callback was lost, another one talks with the customer.
    """
    talking = next((agent for agent in agents if agent.call.id in party.joined_with), None)
    if talking is not None or attempt_id is None:
        return talking
    return next((agent for agent in agents if agent.for_call == attempt_id), None)
