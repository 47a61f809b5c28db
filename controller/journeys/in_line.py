"""In line: hold music, what is said over it, and every way out: an agent, a promise, a limit, a hang-up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from controller.domain.call_ending import Ending
from controller.domain.queue_events import LeftAfterMaxWait, LeftEmptyQueue, LeftWithKey
from controller.journeys import prompts
from controller.journeys.announcements import Announcer
from controller.journeys.closed_queue import at_closed_door
from controller.journeys.consent import aside_for_it, settle_consent
from controller.journeys.house import Offer
from controller.journeys.leave_number import Leaving, leave_number
from controller.journeys.orders import follow_order
from controller.journeys.race import first_of
from controller.journeys.recapture import recapture
from controller.journeys.ring_back import note_rang_in, open_promise, settle_rang_in
from controller.journeys.shown_number import shown_number
from controller.journeys.talk import noted_stay, talk_with_agent
from controller.journeys.tape import Whose
from controller.ports.calls import CallerHungUp, Stage

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from datetime import datetime

    from controller.domain.menu import Destination
    from controller.domain.promise import Promise
    from controller.journeys.house import House, Queue
    from controller.journeys.talk import Stay
    from controller.ports.calls import Call

LEAVE_NUMBER_KEY = "1"


@dataclass(frozen=True, slots=True)
class TurnedOut:
    """A limit of the queue was reached: what the caller hears, what the queue_log has, and where they go."""

    prompt: str
    event: type[LeftAfterMaxWait | LeftEmptyQueue]
    destination: Destination


async def enter_line(call: Call, queue: Queue, house: House, *, urgent: bool = False) -> Ending | Destination | None:
    """Let the caller wait for an agent, unless the queue is closed or its line is not for them; then, where to instead.

    Who is urgent, or rings back while a promise is open, is one too many in no line.
    """
    await call.remember(queue=queue.name, urgent="1" if urgent else "")
    came_at = house.clock.now()
    is_open = house.is_open(queue, came_at)
    await house.calls.joined(call.id, queue=queue.name, joined_at=came_at, closed=not is_open)
    if not is_open:
        return await at_closed_door(call, queue, house)
    promise = await open_promise(call, queue, house)
    # From here to the place in line nothing is waited for: of two who come for the last place, one gets it.
    if queue.limits.on_no_agents is not None and not house.line.agents_on_duty(queue.name):
        await call.play(prompts.NO_AGENTS)
        return queue.limits.on_no_agents
    elsewhere = None if urgent or promise else overflow(queue, house)
    if elsewhere is not None:
        await call.play(prompts.LINE_FULL)
        return elsewhere
    return await hold(call, queue, house, promise=promise, urgent=urgent)


async def hold_for_agent(
    call: Call, queue: Queue, house: House, *, urgent: bool = False, only_for: str = ""
) -> Ending | Destination:
    """Go on holding a caller who was in line when the controller was restarted."""
    promise = await open_promise(call, queue, house)
    return await hold(call, queue, house, promise=promise, urgent=urgent, only_for=only_for)


async def hold(
    call: Call, queue: Queue, house: House, *, promise: Promise | None, urgent: bool, only_for: str = ""
) -> Ending | Destination:
    """Hold the caller until one of the ways out; `only_for` is the agent who alone is to serve them.

    Who rings back while `promise` is open stands in its place, and it is not dialled meanwhile.
    """
    shown = shown_number(call, house.plan)
    number = shown.e164 if shown else call.facts.number
    joined_at = house.clock.now()
    stay: Stay | None = None
    try:
        with (
            house.line.join(
                call.id,
                queue.name,
                since=min(call.facts.arrived_at, promise.since) if promise else call.facts.arrived_at,
                urgent=urgent,
                in_place_of=promise.id if promise else None,
                number=number,
                only_for=only_for,
            ) as place,
            noted_stay(call, queue, place, house, whose=Whose(call.id, number=number or "")) as stay,
        ):
            place.take_orders()
            # At once: nobody is set aside for them, and given back.
            with aside_for_it(place, call, queue, house):
                await call.remember(stage=Stage.IN_LINE)
                await settle_consent(call, queue, house)
            return await wait_in(stay, call, queue, house, promise=promise, urgent=urgent)
    except CallerHungUp:
        # Their place is left already: no agent is kept for who is gone, however slow the database is.
        waited_s = (house.clock.now() - joined_at).total_seconds()
        await recapture(call, house.queues[stay.queue] if stay else queue, house, waited_s=waited_s)
        raise


async def wait_in(
    stay: Stay, call: Call, queue: Queue, house: House, *, promise: Promise | None, urgent: bool
) -> Ending | Destination:
    """Race an agent against the caller's key, the next announcement and the queue's limits, again and again."""
    owed = promise

    async def note_answer(agent: str) -> None:
        nonlocal owed
        await house.calls.answered(call.id, agent=agent, answered_at=house.clock.now())
        # Asked again: it may have been made while they waited, or the database may have been away when they came.
        owed = owed or await open_promise(call, queue, house)
        if owed is not None:
            await note_rang_in(owed, call, house)

    announcer = Announcer(call, stay.place, queue, house, returns=promise is not None, urgent=urgent)
    while True:
        happened = await first_of(
            # First: who was moved, and gets an agent in the same moment, talks with one of the other queue.
            ordered=stay.place.ordered(),
            turn=stay.place.turn(),
            key=call.hold(queue.name, until_keys=keys_in(queue)),
            announced=announcer.next(),
            **limits_of(stay, call, queue, house),
        )
        match happened:
            case "ordered", order:
                queue = await follow_order(order, call, stay, queue, house)
                with aside_for_it(stay.place, call, queue, house):
                    await settle_consent(call, queue, house)
                announcer.heed(order, queue)
            case "turn", reservation:
                if await talk_with_agent(call, reservation, stay, queue, house, on_answer=note_answer):
                    await settle_owed(owed, call, house)
                    return Ending.SERVED
            case "key", key:
                with stay.place.step_aside():
                    if await leave_line(call, queue, house, stay, due_by=announcer.told_until):
                        stay.note(LeftWithKey, key=key)
                        stay.place.depart()
                        return Ending.PROMISED
            case _, TurnedOut() as out:
                stay.place.depart()
                await call.play(out.prompt)
                stay.note(out.event)
                return out.destination


async def settle_owed(owed: Promise | None, call: Call, house: House) -> None:
    """Settle the promise of a caller who has talked, if there is one."""
    if owed is not None:
        await call.hang_up()
        await settle_rang_in(owed, call, house)


def keys_in(queue: Queue) -> str:
    """Return the keys that mean something to who holds."""
    return "" if queue.announcements.offer is Offer.NEVER else LEAVE_NUMBER_KEY


async def leave_line(call: Call, queue: Queue, house: House, stay: Stay, *, due_by: datetime | None) -> bool:
    """Take a number in exchange for the wait, which they were told ends by `due_by`. False: the caller holds on."""
    match await leave_number(call, queue, house, expected=stay.place.expected_wait(), due_by=due_by):
        case Leaving.PROMISED | Leaving.MERGED:
            return True
        case Leaving.NO_NUMBER:
            await call.play(prompts.BACK_TO_HOLD)
        case Leaving.NOT_KEPT:
            await call.play(prompts.PROMISE_FAILED)
    await call.remember(stage=Stage.IN_LINE)
    return False


def overflow(queue: Queue, house: House) -> Destination | None:
    """Return where a caller goes who is one too many (あふれ呼), by the line's length or by the expected wait."""
    limits = queue.limits
    if limits.max_length is not None and house.line.length(queue.name) >= limits.max_length:
        return limits.on_full
    if limits.overflow_wait_s is not None:
        expected = house.line.expected_wait(queue.name)
        if expected is not None and expected.high_s > limits.overflow_wait_s:
            return limits.on_overflow
    return None


def limits_of(stay: Stay, call: Call, queue: Queue, house: House) -> dict[str, Coroutine[Any, Any, TurnedOut]]:
    """Return what to race against beside agent and key: the longest wait, and the last agent who leaves.

    The longest wait counts from the caller's arrival, so that a restart does not begin it anew; for whom a supervisor
    sent here, from then.
    """
    limits = queue.limits
    counts_from = stay.moved_at or call.facts.arrived_at

    async def too_long(max_wait_s: float, destination: Destination) -> TurnedOut:
        waited_s = (house.clock.now() - counts_from).total_seconds()
        await house.clock.sleep(max(0.0, max_wait_s - waited_s))
        return TurnedOut(prompts.MAX_WAIT, LeftAfterMaxWait, destination)

    async def nobody(destination: Destination) -> TurnedOut:
        await stay.place.no_agents()
        return TurnedOut(prompts.NO_AGENTS, LeftEmptyQueue, destination)

    waits: dict[str, Coroutine[Any, Any, TurnedOut]] = {}
    if limits.max_wait_s is not None and limits.on_max_wait is not None:
        waits["too_long"] = too_long(limits.max_wait_s, limits.on_max_wait)
    if limits.on_no_agents is not None:
        waits["nobody"] = nobody(limits.on_no_agents)
    return waits
