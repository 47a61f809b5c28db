"""What the database says before an agent is rung: caps, the do-not-call list, another call to the same number."""

from __future__ import annotations

from datetime import time
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from controller.domain.agents import AgentState
from controller.domain.caps import Caps
from controller.domain.gate import CallingHours
from controller.domain.outcome import Outcome
from controller.domain.promise import PromiseState
from controller.journeys import prompts
from controller.ports.survey import Role
from tests.journeys.scripted_call import Moment, Step
from tests.journeys.scripted_channel import Person

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.journeys.scene import Scene

NUMBER = "+819012345678"
OTHER = "+819012345679"
AGENT = Person(talks_s=None, patience_s=400)
SAYS_YES = Person(presses={prompts.CALLBACK_CONFIRM: ["1"]})
DAY_S = 24 * 3600.0
AFTERNOON = CallingHours(time(13), time(14), ZoneInfo("Asia/Tokyo"))


def test_a_number_that_has_had_its_calls_is_put_off_before_an_agent_is_rung(open_scene: Callable[..., Scene]) -> None:
    """Once, and to the instant at which there is room again; the history says why."""
    scene = open_scene({"alice": AGENT})
    scene.caps = Caps(per_number=1)
    scene.promised(NUMBER, person=SAYS_YES)
    scene.pass_s(120)
    first_s = scene.theatre.loop.time()
    assert scene.promises()[0].state is PromiseState.FULFILLED
    rung = len(scene.pbx.of(Role.AGENT))
    scene.promised(NUMBER, person=SAYS_YES)
    scene.pass_s(600)
    assert len(scene.pbx.of(Role.AGENT)) == rung
    promise = scene.promises()[1]
    assert (promise.state, promise.attempts_used, promise.dials) == (PromiseState.WAITING, 0, 0)
    put_off = scene.theatre.sql("SELECT event FROM promise_events WHERE event = 'Postponed'")
    assert len(put_off) == 1
    left_s = (promise.not_before - scene.theatre.clock.now()).total_seconds()
    assert DAY_S - 120 - 600 - 10 <= left_s <= DAY_S - (scene.theatre.loop.time() - first_s)
    assert scene.states() == {"alice": AgentState.AVAILABLE}


def test_a_cap_on_one_number_keeps_no_other_from_being_called(open_scene: Callable[..., Scene]) -> None:
    """Whoever is behind in line is served at once."""
    scene = open_scene({"alice": AGENT})
    scene.caps = Caps(per_number=0)
    scene.promised(NUMBER, person=SAYS_YES)
    scene.pass_s(1)
    scene.caps = Caps(per_number=1)
    scene.promised(OTHER, person=SAYS_YES)
    scene.pass_s(120)
    assert [promise.state for promise in scene.promises()] == [PromiseState.WAITING, PromiseState.FULFILLED]


def test_a_number_that_was_blocked_without_a_ring_at_our_door_is_cancelled_and_no_agent_is_rung(
    open_scene: Callable[..., Scene],
) -> None:
    """The list was filled while nobody told the line; the promise is closed as if they had."""
    scene = open_scene({"alice": AGENT}, signed_in=False)
    scene.promised(NUMBER, person=SAYS_YES)
    columns, row = "number, reason, blocked_at", f"'{NUMBER}', 'by hand', '2026-04-01 03:00:00.000000'"
    scene.theatre.sql(f"INSERT INTO do_not_call ({columns}) VALUES ({row})")  # noqa: S608
    scene.registers("alice")
    scene.pass_s(60)
    assert scene.promises()[0].state is PromiseState.CANCELLED
    assert scene.pbx.channels == []
    assert scene.keeper.waiters == []


def test_a_cap_that_fills_up_while_the_agent_is_rung_dials_nobody(open_scene: Callable[..., Scene]) -> None:
    """The claim counts again, in its own transaction; the promise is put off."""
    scene = open_scene({"alice": AGENT})

    def fill(step: Step, moment: Moment) -> None:
        if (step.who, step.verb, moment) == ("agent", "dial", Moment.AFTER):
            scene.caps = Caps(per_number=0)

    scene.pbx.plans.append(fill)
    scene.promised(NUMBER, person=SAYS_YES)
    scene.pass_s(120)
    assert scene.pbx.of(Role.CUSTOMER) == []
    assert scene.attempts() == []
    assert scene.promises()[0].not_before > scene.theatre.clock.now()
    assert scene.states() == {"alice": AgentState.AVAILABLE}


def test_no_room_on_the_trunks_leaves_promises_in_line_and_serves_callers(open_scene: Callable[..., Scene]) -> None:
    """And the line goes on when there is room again."""
    scene = open_scene({"alice": AGENT})
    scene.dialer.room = lambda: False
    scene.promised(NUMBER, person=SAYS_YES)
    caller = scene.rings(Person(talks_s=20), number="09012340002")
    scene.pass_s(60)
    assert (len(caller.talked_with), scene.pbx.of(Role.CUSTOMER)) == (1, [])
    scene.dialer.room = lambda: True
    scene.do(scene.keeper.serve)
    scene.pass_s(60)
    assert scene.promises()[0].last_outcome is Outcome.TALKED


def test_hours_of_the_number_count_where_they_are_known_and_not_those_of_the_queue(
    open_scene: Callable[..., Scene],
) -> None:
    """The line waits for the number's next opening."""
    scene = open_scene({"alice": AGENT}, hours_for=lambda _number: AFTERNOON)
    now = scene.theatre.clock.now()
    while AFTERNOON.allow(now):
        scene.pass_s(3600)
        now = scene.theatre.clock.now()
    scene.promised(NUMBER, person=SAYS_YES)
    before_s = (AFTERNOON.next_opening(now) - now).total_seconds() - 1
    scene.pass_s(before_s)
    assert scene.pbx.channels == []
    scene.pass_s(3)
    assert len(scene.pbx.of(Role.AGENT)) == 1
