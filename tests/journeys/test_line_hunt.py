"""What went wrong once between line, dialer and database, or would have."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from controller.domain.menu import JoinQueue
from controller.domain.opening_hours import OpeningHours, Span
from controller.domain.promise import PromiseState
from controller.domain.queue_events import Abandoned, Entered
from controller.journeys import prompts
from controller.journeys.house import Limits, Recapture
from controller.ports.calls import PbxUnavailableError
from controller.ports.promises import StoreUnavailableError
from controller.ports.survey import Role
from tests.journeys.line_house import START, LineHouse
from tests.journeys.scene import CARDS
from tests.journeys.scripted import DATABASE
from tests.journeys.scripted_call import Moment
from tests.journeys.scripted_channel import Person
from tests.journeys.test_guards import breaking

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from controller.domain.line import Decision
    from tests.journeys.scene import Scene
    from tests.journeys.scripted_call import Step

NUMBER = "+819012345678"
YES = Person(presses={prompts.CALLBACK_CONFIRM: ["1"]}, talks_s=None)
DEAF = Person(answers_after_s=None)
AWAY = StoreUnavailableError("it is away")
DAY_S = 24 * 3600


def test_an_agent_is_not_kept_from_callers_while_a_promise_waits_for_the_database(
    open_scene: Callable[..., Scene],
) -> None:
    """The promise is held back; its agent is not."""
    scene = open_scene({"alice": Person(talks_s=None)}, signed_in=False)
    scene.promised(NUMBER, person=YES)
    scene.pbx.plans.append(breaking(DATABASE, "hold", AWAY))
    scene.registers("alice")
    caller = scene.rings(Person(talks_s=20), number="09012340002")
    scene.pass_s(6)
    assert len(caller.talked_with) == 1


def test_a_callback_that_fails_at_once_is_not_tried_again_at_once(open_scene: Callable[..., Scene]) -> None:
    """A row that cannot be read costs a look every few seconds, not the whole processor."""
    scene = open_scene({"alice": Person()}, signed_in=False)
    scene.promised(NUMBER, person=YES)
    scene.pbx.plans.append(breaking(DATABASE, "get", ZeroDivisionError("a mistake of ours"), times=1000))
    scene.registers("alice")
    scene.pass_s(60)
    assert [step.verb for step in scene.pbx.steps].count("get") < 10


def test_a_promise_whose_customer_is_in_line_does_not_expire(open_scene: Callable[..., Scene]) -> None:
    """Nobody hears by SMS that they were not reached while they hold."""
    scene = open_scene({"alice": Person(talks_s=None)}, signed_in=False)
    scene.promised(NUMBER, person=YES)
    scene.pass_s(DAY_S - 30)
    scene.rings(Person(talks_s=20))
    scene.pass_s(60)
    assert [promise.state for promise in scene.promises()] == [PromiseState.WAITING]
    scene.registers("alice")
    scene.pass_s(60)
    assert [promise.state for promise in scene.promises()] == [PromiseState.FULFILLED]
    assert scene.theatre.sql("SELECT id FROM sms_outbox") == []


def test_a_promise_expires_once_its_customer_has_left_the_line(open_scene: Callable[..., Scene]) -> None:
    """Put off, not forgotten."""
    scene = open_scene()
    scene.promised(NUMBER, person=YES)
    scene.pass_s(DAY_S - 30)
    scene.rings(Person(patience_s=60))
    scene.pass_s(100)
    assert [promise.state for promise in scene.promises()] == [PromiseState.EXPIRED]


def test_who_has_left_a_number_is_not_counted_as_served(open_scene: Callable[..., Scene]) -> None:
    """An agent who becomes free meanwhile goes to the promise, and nobody else is set aside for the caller."""
    scene = open_scene({"alice": Person(talks_s=20)}, signed_in=False)
    scene.pbx.customers[NUMBER] = YES
    decisions: list[Decision] = []
    caller = scene.rings(Person(presses={prompts.HOLD_OFFER: ["1"], prompts.USE_THIS_NUMBER: ["1"]}))
    scene.pass_s(4)
    scene.registers("alice")
    scene.keeper.on_decision = decisions.append
    scene.pass_s(60)
    assert caller.heard[-1] == prompts.PROMISE_MADE
    assert [decision.waiter_id for decision in decisions] == [scene.promises()[0].id]


def test_who_is_told_that_they_go_elsewhere_gets_no_agent_of_the_queue_they_leave(
    open_scene: Callable[..., Scene],
) -> None:
    """An agent who comes during the prompt is free for the next one."""
    limits = Limits(max_wait_s=20, on_max_wait=JoinQueue("loans"))
    serves = {"alice": frozenset({"cards"})}
    scene = open_scene(
        {"alice": Person(talks_s=5)}, signed_in=False, queues=serves, cards=replace(CARDS, limits=limits)
    )
    decisions: list[Decision] = []
    scene.keeper.on_decision = decisions.append
    caller = scene.rings(Person())

    def sign_in_during_the_prompt(step: Step, moment: Moment) -> None:
        if (step.verb, moment) == ("play", Moment.DURING) and caller.heard[-1:] == [prompts.MAX_WAIT]:
            scene.signs_in("alice")

    scene.pbx.plans.append(sign_in_during_the_prompt)
    scene.pass_s(40)
    assert (caller.held_in, decisions) == ("loans", [])


def test_who_hung_up_is_out_of_the_line_before_anything_is_written_of_it(open_scene: Callable[..., Scene]) -> None:
    """A slow database keeps no agent for somebody who is gone."""
    scene = open_scene(cards=replace(CARDS, recapture=Recapture(after_s=10)))
    scene.rings(Person(patience_s=30))
    scene.pass_s(20)
    in_line: list[int] = []

    def look(step: Step, moment: Moment) -> None:
        if (step.who, moment) == (DATABASE, Moment.BEFORE):
            in_line.append(len(scene.keeper.waiters))

    scene.pbx.plans.append(look)
    scene.pass_s(30)
    assert in_line != []
    assert set(in_line) == {0}


def test_a_customer_who_rang_in_and_talked_is_not_called_however_long_the_database_was_away(
    open_scene: Callable[..., Scene],
) -> None:
    """It is written once it is back; the caller is hung up meanwhile."""
    scene = open_scene({"alice": Person(talks_s=None)}, signed_in=False)
    scene.promised(NUMBER, person=YES)
    caller = scene.rings(Person(talks_s=None))
    scene.pass_s(5)
    scene.pbx.agents["alice"] = Person(talks_s=20)
    scene.pbx.plans.append(breaking(DATABASE, "advance", AWAY, times=30))
    scene.registers("alice")
    scene.pass_s(30)
    assert caller.hung_up_by == "controller"
    scene.pass_s(120)
    assert scene.pbx.of(Role.CUSTOMER) == []
    assert [promise.state for promise in scene.promises()] == [PromiseState.FULFILLED]


def test_who_talks_is_not_called_for_a_promise_that_was_made_while_they_waited(
    open_scene: Callable[..., Scene],
) -> None:
    """On a second call from the same number: one talk is enough."""
    scene = open_scene({"alice": Person(talks_s=20)}, signed_in=False)
    caller = scene.rings(Person(talks_s=None))
    scene.pass_s(5)
    scene.rings(Person(presses={prompts.HOLD_OFFER: ["1"], prompts.USE_THIS_NUMBER: ["1"]}))
    scene.pass_s(20)
    assert len(scene.promises()) == 1
    scene.registers("alice")
    scene.pass_s(120)
    assert len(caller.talked_with) == 1
    assert scene.pbx.of(Role.CUSTOMER) == []
    assert [promise.state for promise in scene.promises()] == [PromiseState.FULFILLED]


def test_a_customer_who_comes_in_line_after_the_agent_has_answered_is_not_dialled(
    open_scene: Callable[..., Scene],
) -> None:
    """Not for an instant: the attempt is taken back before anything is sent."""
    scene = open_scene({"alice": Person()}, signed_in=False)
    promise = scene.promised(NUMBER, person=DEAF)
    with ExitStack() as places:

        def ring_in(step: Step, moment: Moment) -> None:
            if (step.verb, moment) == ("open_attempt", Moment.AFTER):
                since = scene.theatre.clock.now()
                places.enter_context(scene.keeper.join("caller", "cards", since, in_place_of=promise.id))

        scene.pbx.plans.append(ring_in)
        scene.registers("alice")
        scene.pass_s(15)
        assert [customer.placed for customer in scene.pbx.of(Role.CUSTOMER)] == [False]
        assert scene.attempts() == [("alice", "withdrawn")]


def test_a_talk_is_not_cut_because_the_pbx_would_not_take_a_mark(open_scene: Callable[..., Scene]) -> None:
    """The mark is for a restart; the talk is for the caller."""
    scene = open_scene({"alice": Person(talks_s=None)})
    caller = scene.rings(Person(talks_s=20))

    def refuse(step: Step, moment: Moment) -> None:
        if (step.who, step.verb, moment) == (Role.CALLER, "remember", Moment.BEFORE) and caller.peer is not None:
            raise PbxUnavailableError("no such variable")

    scene.pbx.plans.append(refuse)
    scene.pass_s(60)
    assert (caller.hung_up_by, scene.endings()) == ("person", {caller.id: "served"})


def test_a_stay_that_a_fault_ends_ends_in_the_queue_log_too(open_scene: Callable[..., Scene]) -> None:
    """Reports count who entered and who left."""
    scene = open_scene()
    scene.pbx.plans.append(breaking("caller", "hold", ZeroDivisionError("a mistake of ours")))
    scene.rings(Person())
    scene.pass_s(10)
    assert [type(event) for event in scene.queue_events] == [Entered, Abandoned]


def test_who_was_in_line_when_it_closed_keeps_the_place_over_a_restart(open_scene: Callable[..., Scene]) -> None:
    """As without one: those who came in time are served."""
    zone = ZoneInfo("Asia/Tokyo")
    hours = OpeningHours(((Span(time(9), time(17)),),) * 7, zone)
    scene = open_scene({"alice": Person(talks_s=20)}, signed_in=False, cards=replace(CARDS, hours=hours))
    now = scene.theatre.clock.now().astimezone(zone)
    closing = datetime.combine(now.date() + timedelta(days=1), time(16, 59, 40), zone).astimezone(UTC)
    scene.pass_s((closing - scene.theatre.clock.now()).total_seconds())
    caller = scene.rings(Person(talks_s=None))
    scene.pass_s(40)
    scene.restart()
    scene.pass_s(10)
    assert (len(caller.talked_with), prompts.CLOSED in caller.heard) == (1, False)


def test_promises_of_a_queue_that_is_gone_harm_nobody(open_scene: Callable[..., Scene]) -> None:
    """They wait, over a restart too, until they expire; the others are kept."""
    scene = open_scene({"alice": Person(talks_s=20)})
    scene.promised("+819012340002", queue="mortgages")
    scene.restart()
    scene.promised(NUMBER, person=YES)
    scene.restart()
    scene.pass_s(60)
    assert [promise.state for promise in scene.promises()] == [PromiseState.WAITING, PromiseState.FULFILLED]
    scene.pass_s(DAY_S)
    assert scene.promises()[0].state is PromiseState.EXPIRED


@pytest.fixture
def house() -> Iterator[LineHouse]:
    """Open a line keeper's house with one agent; close it after the test."""
    opened = LineHouse("alice")
    yield opened
    opened.places.close()
    opened.do(opened.clock.sleep(1))
    opened.loop.close()


@pytest.mark.parametrize("known", [True, False])
def test_while_the_phones_are_not_known_whoever_is_signed_in_counts_as_on_duty(
    house: LineHouse, *, known: bool
) -> None:
    """A start of ours sends nobody away who waits for an agent."""
    house.keeper.phones_are_known = lambda: known
    assert house.keeper.agents_on_duty("cards") == (0 if known else 1)


def test_a_clock_that_is_set_forward_makes_a_promise_late_by_a_minute_at_most(house: LineHouse) -> None:
    """A timer runs by another clock than the one on the wall."""
    house.is_there("alice")
    house.promised("later", due_min=60)
    has_ended = house.ends(house.keeper.run())
    assert not has_ended()
    house.clock.START = START + timedelta(hours=1)
    house.do(house.clock.sleep(61))
    assert [promise.id for promise, _ in house.dialled] == ["later"]
