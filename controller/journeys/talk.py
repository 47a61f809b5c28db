"""Ringing a reserved agent for somebody who waits, and joining the two."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from controller.domain.queue_events import Abandoned, Completed, Connected, Entered, RangOut
from controller.journeys.agent_phone import ring_agent, say_until_key
from controller.journeys.race import first_of
from controller.journeys.tape import Tape, Whose
from controller.ports.calls import CallerHungUp, PbxUnavailableError, Stage

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence
    from datetime import datetime

    from controller.domain.queue_events import LeftAfterMaxWait, LeftEmptyQueue, LeftWithKey
    from controller.journeys.agent_phone import AgentLeg
    from controller.journeys.house import House, Queue
    from controller.ports.calls import Call
    from controller.ports.line import Place, Reservation


@dataclass(slots=True)
class Stay:
    """Somebody's stay in line, as the queue_log tells it."""

    call_id: str
    queue: str
    joined_at: datetime
    first_place: int
    place: Place
    house: House
    shown_number: str | None
    """The number that an agent's phone shows when it is rung for them."""
    whose: Whose
    has_talked: bool = False
    """With an agent: the end of the talk was the end of the stay."""

    moved_at: datetime | None = None
    """When a supervisor had them wait for this queue instead of another."""

    def move_to(self, queue: str, now: datetime) -> None:
        """Take note that they wait for another queue from now on."""
        self.queue, self.moved_at, self.first_place = queue, now, self.place.position()
        self.house.queue_log.note(Entered(self.call_id, queue, self.shown_number, self.first_place))

    def wait_s(self) -> float:
        """Return how long they have been in line."""
        return (self.house.clock.now() - self.joined_at).total_seconds()

    def note(self, event: type[Abandoned | LeftWithKey | LeftAfterMaxWait | LeftEmptyQueue], **more: Any) -> None:
        """Note how they left the line without an agent."""
        self.house.queue_log.note(
            event(
                self.call_id,
                self.queue,
                place=self.place.position(),
                first_place=self.first_place,
                wait_s=self.wait_s(),
                **more,
            )
        )


@contextmanager
def noted_stay(
    call: Call, queue: Queue, place: Place, house: House, *, whose: Whose, number: str | None = None
) -> Iterator[Stay]:
    """Note in the queue_log that somebody is in line, and that they hung up there, or were cut off, if it comes so.

    `number` is theirs; None: the one that they call from.
    """
    number = number or call.facts.number
    stay = Stay(call.id, queue.name, house.clock.now(), place.position(), place, house, number, whose)
    house.queue_log.note(Entered(call.id, queue.name, number, stay.first_place))
    try:
        yield stay
    except Exception:
        if not stay.has_talked:
            stay.note(Abandoned)
        raise


async def talk_with_agent(
    call: Call,
    reservation: Reservation,
    stay: Stay,
    queue: Queue,
    house: House,
    *,
    on_answer: Callable[[str], Awaitable[None]],
    whisper: Sequence[str] = (),
) -> bool:
    """Ring the reserved agent and join the two until one hangs up. False: nobody answered, the caller holds on.

    The agent hears `whisper` first. `on_answer` is awaited with the agent's name once they hear each other.
    """
    agent = reservation.agent

    async def note_answer(name: str) -> None:
        stay.has_talked = True
        await on_answer(name)

    rang_at = house.clock.now()

    def ring_s() -> float:
        return (house.clock.now() - rang_at).total_seconds()

    with reservation:
        async with ring_agent(reservation, call.id, queue, house, shown_number=stay.shown_number) as leg:
            # The caller keeps the music until the agent is really there.
            _, answered = await first_of(answered=answered_for(leg, whisper), music=call.hold(queue.name))
            if not answered:
                house.queue_log.note(RangOut(call.id, queue.name, agent.name, ring_s()))
                return False
            talk = Talk(
                call,
                leg.call,
                queue.name,
                agent.name,
                hold_s=stay.wait_s(),
                ring_s=ring_s(),
                first_place=stay.first_place,
                whose=stay.whose,
            )
            return await talk.until_hang_up(house, on_answer=note_answer)


async def answered_for(leg: AgentLeg, whisper: Sequence[str]) -> bool:
    """Ring the agent, and say `whisper` to them. False: they do not answer, or hang up over it."""
    if not await leg.answered():
        return False
    try:
        await say_until_key(leg.call, *whisper)
    except CallerHungUp:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Talk:
    """A caller or customer, and the agent who has answered for them."""

    caller: Call
    agent_call: Call
    queue: str
    agent: str
    """The agent's name."""
    hold_s: float
    """How long the other party waited for the agent."""
    ring_s: float
    whose: Whose
    first_place: int = 1
    entered_as: str | None = None
    """The number of a party who stood in no line: the queue_log has them enter and be connected at once."""

    async def until_hang_up(self, house: House, *, on_answer: Callable[[str], Awaitable[None]]) -> bool:
        """Join the two and return True when one has hung up. False: the agent was gone before they were joined.

        `on_answer` is awaited with the agent's name once they hear each other.
        """
        since = house.clock.now()
        hears = False

        async def note_talk() -> None:
            nonlocal hears
            # Not before they hear each other: a restarted controller takes a caller in this stage for served.
            with suppress(CallerHungUp, PbxUnavailableError):
                await self.caller.remember(stage=Stage.TALKING)
            if self.entered_as is not None:
                house.queue_log.note(Entered(self.caller.id, self.queue, self.entered_as, self.first_place))
            house.queue_log.note(
                Connected(self.caller.id, self.queue, self.agent, self.hold_s, self.agent_call.id, self.ring_s)
            )
            hears = True
            tape.begin(self.queue, self.agent)
            await on_answer(self.agent)

        try:
            with Tape(self.caller, self.whose, house) as tape:
                if not await self.caller.connect(self.agent_call, on_joined=note_talk):
                    return False
        except Exception:
            if hears:  # Cut off by a fault, which is told elsewhere.
                self._note_end(house, since, by_agent=False)
            raise
        who, _ = await first_of(agent=self.agent_call.gone(), caller=self.caller.gone())
        self._note_end(house, since, by_agent=who == "agent")
        return True

    def _note_end(self, house: House, since: datetime, *, by_agent: bool) -> None:
        house.queue_log.note(
            Completed(
                self.caller.id,
                self.queue,
                self.agent,
                self.hold_s,
                talk_s=(house.clock.now() - since).total_seconds(),
                first_place=self.first_place,
                by_agent=by_agent,
            )
        )
