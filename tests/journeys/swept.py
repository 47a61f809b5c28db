"""What must hold after each story, wherever it was interrupted."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from controller.domain.agents import AgentState
from controller.domain.line import WaiterKind
from controller.domain.promise import PromiseState
from controller.domain.queue_events import (
    Abandoned,
    Completed,
    Entered,
    LeftAfterMaxWait,
    LeftEmptyQueue,
    LeftWithKey,
)
from controller.domain.recording import Consent
from controller.journeys import prompts
from controller.ports.calls import Stage
from controller.ports.survey import Role
from tests.journeys.repertoire import HALF_HOURS, JOURNEYS, MOVED
from tests.journeys.scripted_call import Moment

if TYPE_CHECKING:
    from controller.domain.queue_events import QueueEvent
    from tests.journeys.scene import Scene
    from tests.journeys.scripted_call import Step
    from tests.journeys.scripted_channel import Channel
    from tests.journeys.stories import Journey, Plan
    from tests.journeys.theatre import Theatre

LASTS_S = 600.0
"""By then everybody who has patience for 150 s is gone, and every agent has rested."""
ACKNOWLEDGED = {
    prompts.PROMISE_MADE,
    prompts.PROMISE_EXISTS,
    prompts.PROMISE_ASAP_OPENING,
    prompts.PROMISE_MOVED,
    prompts.SLOT_BEFORE,
}
FAREWELLS = {prompts.GOODBYE, MOVED, prompts.SMS_SENT}
"""After these nobody was cut off, though they were neither served nor promised."""
RESTED = {AgentState.AVAILABLE, AgentState.WRAP_UP, AgentState.PAUSED, AgentState.SIGNED_OUT}
LAST_IN_THE_LOG = (Abandoned, Completed, LeftWithKey, LeftAfterMaxWait, LeftEmptyQueue)
"""How a stay in line ends in the queue_log."""


class Watching:
    """The plan of the first run: see which moments there are, and who is on the telephone then."""

    def __init__(self) -> None:
        self.scene: Scene | None = None
        self.moments: dict[tuple[Step, Moment], set[Role]] = {}
        self.likeness: dict[tuple[Step, Moment], tuple[object, ...]] = {}

    def __call__(self, step: Step, moment: Moment) -> None:
        """Write down who could hang up now."""
        if self.scene is not None:
            there = {channel.role for channel in self.scene.pbx.channels if not channel.gone}
            self.moments.setdefault((step, moment), there)
            self.likeness.setdefault((step, moment), likeness(self.scene, step, moment))


def likeness(scene: Scene, step: Step, moment: Moment) -> tuple[object, ...]:
    """Return what a moment is like: which step, who is on the telephone and how far, what the agents do, who waits."""
    there = (
        (each.role, each.marks.get("stage"), each.heard[-1:], each.held_in, each.peer is not None, each.placed, each.up)
        for each in scene.pbx.channels
        if not each.gone
    )
    line = [(waiter.kind, waiter.queue, waiter.urgent) for waiter in scene.keeper.waiters]
    return step.who, step.verb, moment, repr(sorted(map(repr, there))), repr(sorted(scene.states().items())), repr(line)


class Dialling:
    """A plan of every run: see that nobody is dialled who is on the telephone with us."""

    def __init__(self) -> None:
        self.scene: Scene | None = None
        self.in_vain: list[str] = []

    def __call__(self, step: Step, moment: Moment) -> None:
        """Look at the moment before a customer is dialled."""
        if self.scene is None or (step.who, step.verb, moment) != (Role.CUSTOMER, "dial", Moment.BEFORE):
            return
        customer = self.scene.pbx.of(Role.CUSTOMER)[step.nth - 1]
        if customer.live:  # Rings already: it was taken up.
            return
        here = {Stage.IN_LINE, Stage.TALKING}
        self.in_vain += [
            f"{caller.id} was dialled while in line or talking"
            for caller in self.scene.pbx.of(Role.CALLER)
            if caller.live and e164(caller) == customer.facts.dialled and caller.marks.get("stage") in here
        ]


def e164(caller: Channel) -> str:
    """Return the number of a caller as a promise has it."""
    return "+81" + (caller.facts.number or "0")[1:]


def played(journey: Journey, theatre: Theatre, *plans: Plan) -> tuple[Scene, list[str]]:
    """Play a story with `plans`, to its end; return the scene, and who was dialled in vain (it may still grow)."""
    dialling = Dialling()
    scene = journey.play(theatre, dialling, *plans)
    scene.pass_s(LASTS_S)
    return scene, dialling.in_vain


def moments_of(name: str, theatre: Theatre) -> dict[tuple[Step, Moment], set[Role]]:
    """Play a journey undisturbed, once; return every moment of every step that it has, and who is there."""
    if name not in theatre.known:
        watching = Watching()
        scene, in_vain = played(JOURNEYS[name], theatre, watching)
        found = problems(scene) + in_vain
        scene.close()
        assert found == []
        theatre.known[name] = watching.moments
        theatre.fresh[name] = {at for at, like in watching.likeness.items() if like not in theatre.seen}
        theatre.seen |= set(watching.likeness.values())
    return theatre.known[name]


def new_moments_of(name: str, theatre: Theatre) -> dict[tuple[Step, Moment], set[Role]]:
    """Return the moments that are like none of a journey that was played before: the others would show nothing new."""
    moments = moments_of(name, theatre)
    return {at: roles for at, roles in moments.items() if at in theatre.fresh[name]}


def problems(scene: Scene, *, was_killed: bool = False) -> list[str]:
    """Return what is wrong after a journey that was interrupted somewhere; empty when nothing is."""
    found = [f"{channel.id} is still up" for channel in scene.pbx.live]
    found += [f"{waiter.id} left and is in line" for waiter in scene.keeper.waiters if waiter.kind is WaiterKind.LIVE]
    found += [f"agent {name} is {state}" for name, state in scene.states().items() if state not in RESTED]
    found += [f"a task is left: {name}" for name in scene.tasks_left()]
    found += [f"{number} was called twice at once" for number in scene.pbx.overlaps]
    found += _wrong_promises(scene)
    found += _wrong_recordings(scene, was_killed=was_killed)
    if not was_killed:
        found += wrong_log(scene.queue_events)
    endings = scene.endings()
    for caller in scene.pbx.of(Role.CALLER):
        found += _wrong_record(caller, endings.get(caller.id), was_killed=was_killed)
    return found


def _wrong_recordings(scene: Scene, *, was_killed: bool) -> list[str]:
    """Return what was kept of whom it may not be, or without a row; and rows that nobody ended."""
    rows = dict(scene.theatre.sql("SELECT id, ended_at FROM recordings"))
    tapes = scene.pbx.shelf.tapes
    found = [f"{each} has no row" for each in tapes.keys() - rows.keys()]
    for recording_id, tape in tapes.items():
        consent, queue = tape.channel.marks.get("consent"), scene.queues[tape.channel.marks["queue"]]
        if not consent or not Consent(consent).covers(queue.recording):
            found.append(f"{recording_id} was kept of {tape.channel.id}, who said {consent}")
    # Of a talk that ended while no controller was there nobody of the journeys sees the end.
    found += [] if was_killed else [f"{each} has no end" for each, ended_at in rows.items() if ended_at is None]
    return found


def wrong_log(events: list[QueueEvent]) -> list[str]:
    """Return what a report would stumble over: each stay in line begins, and ends, and ends once."""
    stays: dict[str, list[QueueEvent]] = {}
    found = []
    for event in events:
        call_id = getattr(event, "call_id", None)
        if call_id is None:
            continue
        stay = stays.setdefault(call_id, [])
        if isinstance(event, Entered) is not (not stay or isinstance(stay[-1], LAST_IN_THE_LOG)):
            found.append(f"{type(event).__name__} of {call_id} follows {[type(each).__name__ for each in stay]}")
        stay.append(event)
    return found + [
        f"the stay of {call_id} ends with {type(stay[-1]).__name__}"
        for call_id, stay in stays.items()
        if not isinstance(stay[-1], LAST_IN_THE_LOG)
    ]


def _wrong_promises(scene: Scene) -> list[str]:
    found = [f"the attempt of {agent} is open" for agent, outcome in scene.attempts() if outcome is None]
    promises = scene.promises()
    found += [
        f"a promise is {promise.state}"
        for promise in promises
        if not promise.state.is_final and promise.state is not PromiseState.WAITING
    ]
    booked = Counter(promise.slot for promise in promises if promise.slot is not None)
    found += [f"{slot} is booked {times} times" for slot, times in booked.items() if times > HALF_HOURS.capacity]
    dialled = [customer.attempt_id for customer in scene.pbx.of(Role.CUSTOMER) if customer.placed]
    found += [f"attempt {each} was dialled twice" for each in dialled if dialled.count(each) > 1]
    for caller in scene.pbx.of(Role.CALLER):
        confirmed = {("use-this-number", "1"), ("confirm-number", "1")} & set(caller.answered_with)
        since_then = [promise for promise in promises if promise.since == caller.facts.arrived_at]
        if ACKNOWLEDGED & set(caller.heard) and not promises:
            found.append(f"{caller.id} was told of a promise that is not in the database")
        if since_then and not confirmed:
            found.append(f"{caller.id} confirmed nothing and has a promise")
        if any(each.number == e164(caller) and each.state is PromiseState.WAITING for each in promises):
            found += [f"{caller.id} talked with an agent, and is owed a call"] if _was_served(scene, caller) else []
    return found


def _was_served(scene: Scene, caller: Channel) -> bool:
    agents = {agent.id for agent in scene.pbx.of(Role.AGENT)}
    return bool(agents.intersection(caller.talked_with))


def _wrong_record(caller: Channel, ending: str | None, *, was_killed: bool) -> list[str]:
    told = bool(ACKNOWLEDGED & set(caller.heard))
    seen_off = told or bool(caller.talked_with) or caller.heard[-1:] in [[farewell] for farewell in FAREWELLS]
    found = [f"{caller.id} was {ending}"] if ending in {None, "failed"} else []
    if caller.hung_up_by == "controller" and not seen_off:
        found.append(f"{caller.id} was hung up on, neither served nor promised ({ending})")
    if ending == "served" and not caller.talked_with:
        found.append(f"{caller.id} counts as served and talked with nobody")
    # The record does not know of a talk with a number outside whose end nobody saw.
    talked = [each for each in caller.talked_with if not (was_killed and each.startswith(Role.EXTERNAL))]
    if ending == "abandoned" and (talked or prompts.PROMISE_MADE in caller.heard):
        found.append(f"{caller.id} counts as abandoned and was served or promised")
    return found
