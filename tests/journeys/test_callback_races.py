"""A callback is on its way, and something speaks against it: each race has one winner, wherever it happens.

Until the customer has pressed the key they win who ring in, cancel, or ask never to be called; after it, the talk.
"""

from __future__ import annotations

import asyncio
from contextlib import ExitStack, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from controller.domain.lifecycle import Cancelled, CancelReason, RefusedTransitionError
from controller.domain.promise import PromiseState
from controller.journeys import prompts
from controller.journeys.house import Callbacks, DialMode
from controller.ports.survey import Role
from tests.journeys.scene import CARDS
from tests.journeys.scripted import DATABASE
from tests.journeys.scripted_call import Moment
from tests.journeys.scripted_channel import Person
from tests.journeys.stories import AGENT, NUMBER, YES
from tests.journeys.swept import RESTED

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from tests.journeys.scene import Scene
    from tests.journeys.scripted_call import Step

    At = tuple[str, str, Moment]

LISTENS = replace(AGENT, presses={prompts.PREVIEW_MENU: ["1", "1"]})
"""Hears the whole whisper, and dials when asked."""
CUSTOMER = Person(presses=YES, patience_s=200)
RINGS_IN, IS_CANCELLED, SAYS_STOP = "rings in", "is cancelled", "says STOP"
BEFORE_THE_CLAIM = {
    "before the agent answers": (Role.AGENT, "dial", Moment.DURING),
    "when the agent has answered": (Role.AGENT, "dial", Moment.AFTER),
    "during the whisper": (Role.AGENT, "ask", Moment.DURING),
}
BEFORE_THE_KEY = {
    "when the whisper is over": (Role.AGENT, "ask", Moment.AFTER),
    "before the claim is written": (DATABASE, "open_attempt", Moment.BEFORE),
    "when the claim is written": (DATABASE, "open_attempt", Moment.AFTER),
    "before the customer's phone rings": (Role.CUSTOMER, "dial", Moment.BEFORE),
    "while the customer's phone rings": (Role.CUSTOMER, "dial", Moment.DURING),
    "when the customer answers": (Role.CUSTOMER, "dial", Moment.AFTER),
    "before the customer is asked": (Role.CUSTOMER, "ask", Moment.BEFORE),
    "while the customer is asked": (Role.CUSTOMER, "ask", Moment.DURING),
}
AFTER_THE_KEY = {
    "before the two are joined": (Role.CUSTOMER, "connect", Moment.BEFORE),
    "while the two talk": (Role.CUSTOMER, "connect", Moment.DURING),
}


class Against:
    """The plan of one run: at the first such moment, something happens that speaks against the call."""

    def __init__(self, scene: Scene, at: At, happens: Callable[[], None]) -> None:
        self._scene = scene
        self._at = at
        self._happens = happens
        self.has_happened = False

    def __call__(self, step: Step, moment: Moment) -> None:
        """Let it happen, once."""
        if (step.who, step.verb, moment) == self._at and not self.has_happened:
            self.has_happened = True
            self._happens()


class Race:
    """A scene with a promise, and what is going to happen to it while its dial is on the way."""

    def __init__(self, scene: Scene, kind: str, at: At) -> None:
        self.scene = scene
        self.kind = kind
        self.promise = scene.promised(NUMBER, person=CUSTOMER)
        self._under_way: list[asyncio.Task[None]] = []
        self.against = Against(scene, at, self._happens)
        scene.pbx.plans.append(self.against)

    def _happens(self) -> None:
        house, store = self.scene.house, self.scene.theatre.store
        if self.kind == RINGS_IN:
            self.scene.pbx.rings(Person(patience_s=100))
        elif self.kind == IS_CANCELLED:
            self._write(house.promises.advance(self.promise.id, Cancelled(CancelReason.ADMIN)))
        else:
            with self.scene.theatre.loop.outside():
                self._write(store.do_not_call.block(NUMBER, reason="STOP by SMS"))

    def _write(self, writing: Coroutine[Any, Any, object]) -> None:
        async def write() -> None:
            with suppress(RefusedTransitionError), self.scene.theatre.loop.outside():
                await writing

        self._under_way.append(asyncio.ensure_future(write()))

    def is_run(self) -> None:
        """Let the agent come, and everything happen until all is quiet."""
        self.scene.registers("alice")
        self.scene.pass_s(200)
        assert self.against.has_happened
        assert all(task.done() for task in self._under_way)

    def leaves_nothing_behind(self) -> None:
        """Look whether everybody is gone, and the agent free."""
        assert self.scene.pbx.live == []
        assert set(self.scene.states().values()) <= RESTED
        assert self.scene.pbx.overlaps == []
        assert None not in [outcome for _, outcome in self.scene.attempts()]

    @property
    def talks(self) -> list[list[str]]:
        """Who each customer that was dialled has talked with."""
        return [channel.talked_with for channel in self.scene.pbx.of(Role.CUSTOMER) if channel.placed]

    @property
    def state(self) -> PromiseState:
        """How the promise stands."""
        return self.scene.promises()[0].state


@pytest.fixture
def race(open_scene: Callable[..., Scene]) -> Callable[[str, At, DialMode], Race]:
    """Return a way to open a scene for one race."""

    def begin(kind: str, at: At, mode: DialMode) -> Race:
        cards = replace(CARDS, callbacks=Callbacks(mode=mode))
        return Race(open_scene({"alice": LISTENS}, signed_in=False, cards=cards), kind, at)

    return begin


WITH_AGENT = [DialMode.AGENT_FIRST, DialMode.PREVIEW]
KINDS = [RINGS_IN, IS_CANCELLED, SAYS_STOP]


@pytest.mark.parametrize("mode", WITH_AGENT)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("where", BEFORE_THE_CLAIM)
def test_what_speaks_against_a_call_before_it_is_claimed_leaves_no_attempt(
    race: Callable[[str, At, DialMode], Race], where: str, kind: str, mode: DialMode
) -> None:
    """Nobody's phone rings; whoever rang in talks with the agent, and is owed no call any more."""
    run = race(kind, BEFORE_THE_CLAIM[where], mode)
    run.is_run()
    run.leaves_nothing_behind()
    assert (run.talks, run.scene.attempts()) == ([], [])
    assert run.state is (PromiseState.FULFILLED if kind == RINGS_IN else PromiseState.CANCELLED)


@pytest.mark.parametrize("mode", WITH_AGENT)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("where", BEFORE_THE_KEY)
def test_what_speaks_against_a_call_before_the_key_takes_it_back(
    race: Callable[[str, At, DialMode], Race], where: str, kind: str, mode: DialMode
) -> None:
    """The leg is hung up, the attempt was withdrawn, and the agent knows; no talk begins that nobody wants."""
    run = race(kind, BEFORE_THE_KEY[where], mode)
    run.is_run()
    run.leaves_nothing_behind()
    assert all(talked == [] for talked in run.talks)
    assert {outcome for _, outcome in run.scene.attempts()} <= {"withdrawn"}
    rung = run.scene.pbx.of(Role.AGENT)[0]
    assert rung.heard[-1] in {prompts.AGENT_WITHDRAWN} | ({prompts.AGENT_MAY_NOT_DIAL} if kind == SAYS_STOP else set())
    assert run.state is (PromiseState.FULFILLED if kind == RINGS_IN else PromiseState.CANCELLED)
    if kind == RINGS_IN:
        assert run.scene.endings() == {"caller-1": "served"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_customer_who_was_being_asked_hears_that_the_call_is_no_longer_needed(
    race: Callable[[str, At, DialMode], Race], kind: str
) -> None:
    """And is not just hung up on."""
    run = race(kind, BEFORE_THE_KEY["while the customer is asked"], DialMode.AGENT_FIRST)
    run.is_run()
    (customer,) = run.scene.pbx.of(Role.CUSTOMER)
    assert (customer.heard[-1], customer.hung_up_by) == (prompts.CALLBACK_WITHDRAWN, "controller")


@pytest.mark.parametrize("mode", WITH_AGENT)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("where", AFTER_THE_KEY)
def test_what_comes_after_the_key_comes_too_late(
    race: Callable[[str, At, DialMode], Race], where: str, kind: str, mode: DialMode
) -> None:
    """A talk is never cut, and nobody is called again for it; a promise that was cancelled just before stays so."""
    run = race(kind, AFTER_THE_KEY[where], mode)
    run.is_run()
    run.leaves_nothing_behind()
    ((talked, *_),) = run.talks
    assert talked == "agent-1"
    assert run.scene.attempts() == [("alice", "talked")]
    assert run.state in {PromiseState.FULFILLED, PromiseState.CANCELLED}
    customer, agent = run.scene.pbx.of(Role.CUSTOMER)[0], run.scene.pbx.of(Role.AGENT)[0]
    assert "person" in {customer.hung_up_by, agent.hung_up_by}


@pytest.mark.parametrize("where", ["while the customer's phone rings", "while the customer is asked"])
def test_a_promise_that_was_cancelled_while_the_controller_was_away_is_taken_back(
    open_scene: Callable[..., Scene], where: str
) -> None:
    """Its leg, which rang on or was answered by music, is hung up when another controller finds it."""
    scene = open_scene({"alice": AGENT}, signed_in=False)
    promise = scene.promised(NUMBER, person=replace(CUSTOMER, presses={}))
    scene.pbx.plans.append(Against(scene, BEFORE_THE_KEY[where], scene.kill))
    scene.registers("alice")
    scene.pass_s(60)
    scene.theatre.outside(scene.theatre.store.promises.advance(promise.id, Cancelled(CancelReason.ADMIN)))
    scene.restart()
    scene.pass_s(60)
    assert scene.pbx.live == []
    assert scene.attempts() == [("alice", "withdrawn")]
    assert scene.promises()[0].state is PromiseState.CANCELLED


@pytest.mark.parametrize(
    ("where", "attempts"),
    [
        (BEFORE_THE_KEY["when the whisper is over"], []),
        (BEFORE_THE_KEY["when the claim is written"], [("alice", "withdrawn")]),
    ],
)
def test_in_the_very_moment_in_which_a_customer_joins_the_line_they_are_not_dialled(
    open_scene: Callable[..., Scene], where: At, attempts: list[tuple[str, str]]
) -> None:
    """Not even for an instant: it is asked before the claim, and once more before the call is placed."""
    scene = open_scene({"alice": LISTENS}, signed_in=False)
    promise = scene.promised(NUMBER, person=CUSTOMER)
    places = ExitStack()

    def joins() -> None:
        places.enter_context(scene.keeper.join("caller-9", "cards", promise.since, in_place_of=promise.id))

    with places:
        scene.pbx.plans.append(Against(scene, where, joins))
        scene.registers("alice")
        scene.pass_s(20)
        assert [channel for channel in scene.pbx.of(Role.CUSTOMER) if channel.placed] == []
        assert scene.attempts() == attempts
        assert scene.pbx.of(Role.AGENT)[0].heard[-1] == prompts.AGENT_WITHDRAWN
