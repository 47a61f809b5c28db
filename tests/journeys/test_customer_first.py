"""Customer first: the customer is rung, says yes by key, and waits at the front of the line for an agent."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from controller.domain.evidence import AnsweredBy
from controller.domain.outcome import Outcome
from controller.domain.promise import PromiseState
from controller.domain.queue_events import Abandoned, Completed, Entered, LeftAfterMaxWait
from controller.journeys import prompts
from controller.journeys.customer_first import customer_first, rehearse_callback
from controller.journeys.dialled import NotDialled, NotDialledReason
from controller.journeys.house import Callbacks, DialMode
from controller.ports.calls import Stage
from controller.ports.promises import NotClaimed, NotClaimedReason
from controller.ports.survey import Role
from tests.journeys.scene import CARDS
from tests.journeys.scripted_channel import Person
from tests.journeys.stories import AGENT, CALLER, NUMBER, YES

if TYPE_CHECKING:
    from collections.abc import Callable

    from controller.journeys.dialled import Dialled
    from tests.journeys.scene import Scene
    from tests.journeys.scripted_channel import Channel

ON_DECK = replace(CARDS, callbacks=Callbacks(mode=DialMode.CUSTOMER_FIRST, max_deck_s=60))
CUSTOMER = Person(presses=YES, patience_s=300)


class Deck:
    """A scene with a promise whose customer is dialled first, whether or not an agent is there."""

    def __init__(self, scene: Scene, person: Person) -> None:
        self.scene = scene
        self.promise = scene.promised(NUMBER, person=person)

    def begin(self) -> None:
        """Dial the customer now, as the dialer does when an agent is about to be free."""
        scene = self.scene

        async def story() -> Dialled | NotDialled:
            return await customer_first(self.promise, scene.queues["cards"], scene.house)

        scene.do(lambda: scene.supervisor.spawn(scene.dialer.follow(self.promise, story)))

    @property
    def customer(self) -> Channel:
        """The newest call to the customer."""
        return self.scene.pbx.of(Role.CUSTOMER)[-1]

    def stands(self) -> tuple[PromiseState, Outcome | None, int]:
        """Return how the promise stands."""
        promise = self.scene.promises()[0]
        return promise.state, promise.last_outcome, promise.attempts_used


@pytest.fixture
def on_deck(open_scene: Callable[..., Scene]) -> Callable[..., Deck]:
    """Return a way to dial a customer while no agent is there yet."""

    def begin(person: Person = CUSTOMER, staff: dict[str, Person] | None = None, **more: Any) -> Deck:
        scene = open_scene(staff or {"alice": AGENT}, cards=ON_DECK, signed_in=False, **more)
        deck = Deck(scene, person)
        deck.begin()
        return deck

    return begin


def test_a_customer_who_has_said_yes_waits_with_music_and_gets_the_next_agent(on_deck: Callable[..., Deck]) -> None:
    """The agent hears that a customer is waiting; nobody was rung before there was an agent."""
    deck = on_deck()
    deck.scene.pass_s(10)
    assert (deck.customer.held_in, deck.customer.marks["stage"]) == ("cards", Stage.IN_LINE)
    assert deck.customer.heard == [prompts.CALLBACK_GREETING, prompts.CALLBACK_CONFIRM, prompts.CONNECTING]
    deck.scene.registers("alice")
    deck.scene.pass_s(60)
    (agent,) = deck.scene.pbx.of(Role.AGENT)
    assert agent.heard == [prompts.AGENT_WHISPER_WAITING]
    assert agent.shown == NUMBER
    assert deck.customer.talked_with == [agent.id]
    assert deck.stands() == (PromiseState.FULFILLED, Outcome.TALKED, 1)
    assert deck.scene.attempts() == [("alice", "talked")]


def test_who_is_called_is_served_before_everybody_who_waits(open_scene: Callable[..., Scene]) -> None:
    """Also before callers who came earlier: we rang, they did not."""
    scene = open_scene({"alice": AGENT}, cards=ON_DECK, signed_in=False)
    earlier = scene.rings(CALLER, number="09012340002")
    scene.pass_s(5)
    deck = Deck(scene, CUSTOMER)
    deck.begin()
    scene.pass_s(15)
    scene.registers("alice")
    scene.pass_s(10)
    assert (len(deck.customer.talked_with), earlier.talked_with) == (1, [])


def test_the_talk_is_on_disk_while_it_lasts(on_deck: Callable[..., Deck]) -> None:
    """So that a crash does not have the customer called again."""
    deck = on_deck()
    deck.scene.registers("alice")
    deck.scene.pass_s(15)
    assert deck.customer.peer is not None
    assert deck.scene.promises()[0].state is PromiseState.CONNECTED


@pytest.mark.parametrize(
    ("person", "outcome", "used"),
    [
        (Person(refuses=Outcome.BUSY), Outcome.BUSY, 1),
        (Person(answers_after_s=None), Outcome.NO_ANSWER, 1),
        (Person(), Outcome.NOT_CONFIRMED, 1),
        (Person(answered_by=AnsweredBy.MACHINE), Outcome.MACHINE, 1),
        (Person(patience_s=2.5), Outcome.DROPPED, 1),
        (Person(presses={prompts.CALLBACK_CONFIRM: ["2"], prompts.LATER_CHOOSE: ["1"]}), Outcome.POSTPONED, 0),
        (replace(CUSTOMER, patience_s=20), Outcome.ABANDONED, 0),
    ],
    ids=str,
)
def test_no_agent_is_rung_for_a_customer_who_was_not_reached(
    on_deck: Callable[..., Deck], person: Person, outcome: Outcome, used: int
) -> None:
    """Nor for one who hung up before an agent was there: that was our doing, and uses no attempt."""
    deck = on_deck(person)
    deck.scene.pass_s(150)
    deck.scene.registers("alice")
    assert deck.stands() == (PromiseState.WAITING, outcome, used)
    assert [channel for channel in deck.scene.pbx.of(Role.AGENT) if channel.talked_with] == []


def test_a_customer_for_whom_nobody_comes_hears_an_apology_and_is_called_again(on_deck: Callable[..., Deck]) -> None:
    """After as long as the queue lets them wait; the promise is open, and no attempt is used."""
    deck = on_deck()
    deck.scene.pass_s(63)
    assert not deck.customer.gone
    deck.scene.pass_s(10)
    assert (deck.customer.heard[-1], deck.customer.hung_up_by) == (prompts.DECK_OVER, "controller")
    assert deck.stands() == (PromiseState.WAITING, Outcome.ABANDONED, 0)


def test_an_agent_who_is_being_rung_when_the_time_is_over_still_gets_the_customer(on_deck: Callable[..., Deck]) -> None:
    """Nobody is sent away with an agent on the way."""
    deck = on_deck(staff={"alice": replace(AGENT, answers_after_s=15)})
    deck.scene.pass_s(55)
    deck.scene.registers("alice")
    deck.scene.pass_s(30)
    assert deck.customer.talked_with == ["agent-1"]


@pytest.mark.parametrize("agent", [Person(answers_after_s=None), Person(patience_s=1.8, talks_s=None)])
def test_an_agent_who_does_not_take_the_customer_leaves_them_on_hold(
    on_deck: Callable[..., Deck], agent: Person
) -> None:
    """The phone rings out, or is hung up over the whisper: the next agent gets them, at the front as before."""
    deck = on_deck(staff={"alice": agent, "bob": AGENT})
    deck.scene.registers("alice")
    deck.scene.pass_s(31)
    assert deck.customer.held_in == "cards"
    deck.scene.registers("bob")
    deck.scene.pass_s(10)
    assert deck.customer.talked_with == [deck.scene.pbx.of(Role.AGENT)[-1].id]
    assert deck.scene.pbx.of(Role.AGENT)[-1].agent == "bob"


@pytest.mark.parametrize(
    ("patience_s", "comes_after_s", "end"), [(300, 10, Completed), (20, None, Abandoned), (300, None, LeftAfterMaxWait)]
)
def test_the_queue_log_has_the_number_and_the_end_of_the_wait(
    on_deck: Callable[..., Deck], patience_s: float, comes_after_s: float | None, end: type
) -> None:
    """Entered with the number that was dialled; then a talk, or out of patience: theirs, or ours."""
    deck = on_deck(replace(CUSTOMER, patience_s=patience_s))
    if comes_after_s is not None:
        deck.scene.pass_s(comes_after_s)
        deck.scene.registers("alice")
    deck.scene.pass_s(80)
    entered, *_, last = [event for event in deck.scene.queue_events if hasattr(event, "call_id")]
    assert (type(entered), type(last)) == (Entered, end)
    assert isinstance(entered, Entered)
    assert entered.number == NUMBER


def test_who_had_said_yes_stands_at_the_front_again_after_a_restart(on_deck: Callable[..., Deck]) -> None:
    """They are not asked twice, and not dialled twice."""
    deck = on_deck()
    deck.scene.pass_s(10)
    earlier = deck.scene.rings(CALLER, number="09012340002")
    deck.scene.pass_s(5)
    deck.scene.restart()
    deck.scene.pass_s(10)
    assert deck.customer.heard.count(prompts.CALLBACK_CONFIRM) == 1
    assert (len(deck.customer.talked_with), earlier.talked_with) == (1, [])
    deck.scene.pass_s(60)
    assert deck.stands() == (PromiseState.FULFILLED, Outcome.TALKED, 1)
    assert len(deck.scene.pbx.of(Role.CUSTOMER)) == 1


def test_who_was_asked_when_the_controller_died_is_asked_again_after_the_restart(on_deck: Callable[..., Deck]) -> None:
    """The key may have been lost; they are still on the telephone."""
    deck = on_deck(replace(CUSTOMER, presses={prompts.CALLBACK_CONFIRM: ["", "1"]}))
    deck.scene.pass_s(4)
    deck.scene.restart()
    deck.scene.registers("alice")
    deck.scene.pass_s(60)
    assert deck.customer.heard.count(prompts.CALLBACK_CONFIRM) == 2
    assert deck.stands() == (PromiseState.FULFILLED, Outcome.TALKED, 1)
    assert len(deck.scene.pbx.of(Role.CUSTOMER)) == 1


def test_a_rehearsal_does_everything_but_the_call(open_scene: Callable[..., Scene]) -> None:
    """The attempt is written and closed, no phone rings, and no attempt is used up."""
    scene = open_scene({"alice": AGENT}, cards=ON_DECK, signed_in=False)
    scene.pbx.gate = lambda _number: Outcome.DRY_RUN
    promise = scene.promised(NUMBER, person=CUSTOMER)

    async def story() -> Dialled | NotDialled:
        return await rehearse_callback(promise, scene.queues["cards"], scene.house)

    scene.do(lambda: scene.supervisor.spawn(scene.dialer.follow(promise, story)))
    scene.pass_s(60)
    (rehearsed,) = scene.promises()
    assert (rehearsed.last_outcome, rehearsed.dials, rehearsed.attempts_used) == (Outcome.DRY_RUN, 0, 0)
    assert scene.attempts() == [("", "dry_run")]
    assert [channel for channel in scene.pbx.channels if channel.placed] == []


@pytest.mark.parametrize("rehearsal", [False, True])
def test_without_the_lease_nobody_is_dialled_first(open_scene: Callable[..., Scene], *, rehearsal: bool) -> None:
    """Another controller places the calls: nothing is written."""
    scene = open_scene({}, cards=ON_DECK)
    promise = scene.promised(NUMBER, person=CUSTOMER)
    scene.leadership.term = None
    journey = rehearse_callback if rehearsal else customer_first
    came = scene.theatre.loop.run_until_complete(journey(promise, scene.queues["cards"], scene.house))
    refused = NotDialled(NotDialledReason.NOT_CLAIMED, NotClaimed(NotClaimedReason.NO_LEASE))
    assert (came, scene.attempts(), scene.pbx.channels) == (refused, [], [])
