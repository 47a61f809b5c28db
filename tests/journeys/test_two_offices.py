"""Two Asterisks, an office for each, one database: who dials a promise that both would dial."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from controller.journeys import prompts
from controller.ports.survey import Role
from tests.journeys.scripted import DATABASE
from tests.journeys.scripted_channel import Person
from tests.journeys.two_offices import TwoOffices

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.journeys.scene import Scene
    from tests.journeys.theatre import Theatre

NUMBER = "+819012345678"
OTHER = "+819012345679"
YES = Person(presses={prompts.CALLBACK_CONFIRM: "1"}, talks_s=30)
SLOW = Person(answers_after_s=6, talks_s=None)
NEVER = Person(answers_after_s=None)


@pytest.fixture
def open_offices(theatre: Theatre) -> Iterator[Callable[..., TwoOffices]]:
    """Return a way to open two offices, with the agents of each."""
    opened: list[TwoOffices] = []

    def begin(first: dict[str, Person], second: dict[str, Person]) -> TwoOffices:
        opened.append(TwoOffices(theatre, first, second))
        return opened[-1]

    yield begin
    for offices in opened:
        offices.close()


def asked(scene: Scene, verb: str) -> int:
    """Return how often an office has asked the database for something."""
    return sum(step.who == DATABASE and step.verb == verb for step in scene.pbx.steps)


def winner_and_loser(offices: TwoOffices) -> tuple[Scene, Scene]:
    """Return who rings an agent, and who does not."""
    winner, loser = sorted(offices.both, key=lambda scene: len(scene.pbx.of(Role.AGENT)), reverse=True)
    assert [len(scene.pbx.of(Role.AGENT)) for scene in (winner, loser)] == [1, 0]
    return winner, loser


def test_a_promise_that_is_due_in_two_offices_rings_one_agent_and_its_customer_once(
    open_offices: Callable[..., TwoOffices],
) -> None:
    """Both have an agent free at the same moment."""
    offices = open_offices({"alice": SLOW}, {"bob": SLOW})
    offices.promised(NUMBER, YES)
    offices.open()
    offices.first.pass_s(120)
    winner, _ = winner_and_loser(offices)
    assert sorted(map(len, offices.legs(Role.CUSTOMER))) == [0, 1]
    assert len(winner.pbx.of(Role.CUSTOMER)) == 1
    assert [promise.state.value for promise in offices.first.promises()] == ["fulfilled"]


def test_two_promises_are_shared_by_two_offices(open_offices: Callable[..., TwoOffices]) -> None:
    """Who finds the first one taken takes the second at once, and does not wait for the other to be done."""
    offices = open_offices({"alice": SLOW}, {"bob": SLOW})
    for number in (NUMBER, OTHER):
        offices.promised(number, YES)
    offices.open()
    offices.first.pass_s(25)
    assert [len(legs) for legs in offices.legs(Role.CUSTOMER)] == [1, 1]
    offices.first.pass_s(120)
    assert sorted(offices.first.attempts()) == [("alice", "talked"), ("bob", "talked")]


def test_an_agent_who_does_not_answer_leaves_the_promise_to_the_other_office(
    open_offices: Callable[..., TwoOffices],
) -> None:
    """As soon as the first has let go of it, not after a pause."""
    offices = open_offices({"alice": NEVER}, {"bob": NEVER})
    offices.promised(NUMBER, YES)
    offices.open()
    offices.first.pass_s(19.5)
    _, loser = winner_and_loser(offices)
    offices.first.pass_s(1)
    assert [len(legs) for legs in offices.legs(Role.AGENT)] == [1, 1]
    assert loser.pbx.of(Role.AGENT)[0].hung_up_by is None


def test_what_another_office_has_in_hand_is_asked_for_every_few_seconds_and_not_more_often(
    open_offices: Callable[..., TwoOffices],
) -> None:
    """And nobody's agent rings for it meanwhile."""
    offices = open_offices({"alice": NEVER}, {"bob": NEVER})
    offices.promised(NUMBER, YES)
    offices.open()
    offices.first.pass_s(18)
    _, loser = winner_and_loser(offices)
    assert asked(loser, "hold") == 4  # at once, and after 5, 10 and 15 s


def test_what_an_office_that_died_had_in_hand_is_another_s_once_its_lease_is_over(
    open_offices: Callable[..., TwoOffices],
) -> None:
    """Nobody tells of it: it is asked for again by itself."""
    offices = open_offices({"alice": NEVER}, {"bob": SLOW})
    offices.lends(offices.first, lasts_s=12)
    offices.first.registers("alice")
    offices.promised(NUMBER, YES)
    offices.first.pass_s(1)
    winner, loser = winner_and_loser(offices)
    assert winner is offices.first
    winner.kill()
    loser.registers("bob")
    loser.pass_s(9)
    assert loser.pbx.of(Role.AGENT) == []
    loser.pass_s(8)
    assert len(loser.pbx.of(Role.AGENT)) == 1
    loser.pass_s(60)
    assert loser.attempts() == [("bob", "talked")]


def test_an_office_that_is_left_gives_up_what_it_has_in_hand(open_offices: Callable[..., TwoOffices]) -> None:
    """Its lease may last a while yet."""
    offices = open_offices({"alice": NEVER}, {"bob": SLOW})
    offices.first.registers("alice")
    offices.promised(NUMBER, YES)
    offices.first.pass_s(1)
    first, second = offices.both
    second.registers("bob")
    second.pass_s(1)
    assert second.pbx.of(Role.AGENT) == []
    offices.theatre.loop.run_until_complete(first.supervisor.leave())
    offices.theatre.loop.run_until_complete(first.dialer.let_all_go())
    second.pass_s(1)
    assert len(second.pbx.of(Role.AGENT)) == 1


@pytest.mark.parametrize("fails", ["claim", "agent"])
def test_a_callback_that_fails_before_its_attempt_leaves_nothing_in_hand(
    open_offices: Callable[..., TwoOffices], fails: str
) -> None:
    """Whatever goes wrong: the other office has it next."""
    offices = open_offices({"alice": SLOW}, {"bob": SLOW})
    verb = {"claim": "open_attempt", "agent": "ask"}[fails]
    offices.first.pbx.plans.append(lambda step, _moment: _break(step.verb == verb))
    offices.first.registers("alice")
    offices.promised(NUMBER, YES)
    offices.first.pass_s(1)
    offices.second.registers("bob")
    offices.first.pass_s(90)
    assert offices.first.attempts() == [("bob", "talked")]


def _break(applies: bool) -> None:
    if applies:
        raise RuntimeError("a fault of ours")


def test_an_office_that_recovers_leaves_the_other_s_calls_and_attempts_alone(
    open_offices: Callable[..., TwoOffices],
) -> None:
    """What it does not find at its own Asterisk may well be at another."""
    offices = open_offices({"alice": Person(talks_s=None)}, {"bob": SLOW})
    offices.first.registers("alice")
    offices.promised(NUMBER, YES)
    offices.first.pass_s(10)
    caller = offices.first.rings(Person(talks_s=20), number="09012340009")
    other = offices.second.rings(Person(talks_s=20), number="09012340008")
    offices.first.pass_s(2)
    offices.second.reconnect()
    offices.first.reconnect()
    assert [outcome for _, outcome in offices.first.attempts()] == [None]
    assert offices.first.endings() == {caller.id: None, other.id: None}
    offices.second.registers("bob")
    offices.first.pass_s(120)
    assert offices.first.attempts() == [("alice", "talked")]
    assert offices.first.endings() == {caller.id: "served", other.id: "served"}


def test_a_cancel_in_one_office_takes_back_the_ringing_in_the_other(open_offices: Callable[..., TwoOffices]) -> None:
    """As soon as the news are there."""
    offices = open_offices({}, {"bob": SLOW})
    offices.second.registers("bob")
    promise = offices.promised(NUMBER, Person(answers_after_s=25))
    offices.first.pass_s(25)
    (ringing,) = offices.second.pbx.of(Role.CUSTOMER)
    offices.first.cancel(promise)
    offices.second.do(lambda: offices.second.hearsay.hear_of(promise.id))
    offices.first.pass_s(1)
    assert ringing.gone


def test_after_missed_news_the_line_is_as_the_database_has_it(open_offices: Callable[..., TwoOffices]) -> None:
    """One promise was made and one cancelled while nobody could tell."""
    offices = open_offices({}, {"bob": SLOW})
    second = offices.second
    gone = offices.promised(NUMBER, YES)
    second.pass_s(1)
    assert [waiter.id for waiter in second.keeper.waiters] == [gone.id]
    offices.theatre.store.changed.clear()
    offices.first.cancel(gone)
    new = offices.promised(OTHER, YES)
    second.pass_s(1)
    assert [waiter.id for waiter in second.keeper.waiters] == [gone.id]
    second.do(second.hearsay.look_again)
    second.pass_s(1)
    assert [waiter.id for waiter in second.keeper.waiters] == [new.id]


def test_a_hold_that_cannot_be_given_up_for_a_fault_of_ours_is_no_reason_to_try_without_end(
    open_offices: Callable[..., TwoOffices],
) -> None:
    """The promise is held back in its own office, as after any other fault."""
    offices = open_offices({"alice": Person(answers_after_s=None)}, {})
    offices.first.pbx.plans.append(lambda step, _moment: _break(step.verb in {"dial", "let_go"}))
    offices.first.registers("alice")
    offices.promised(NUMBER, YES)
    offices.first.pass_s(55)
    assert 2 <= asked(offices.first, "hold") <= 6
