"""Who rings back while a promise is open, and who hangs up without one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from controller.domain.promise import PromiseState
from controller.journeys import prompts
from controller.journeys.house import Recapture
from controller.ports.survey import Role
from tests.journeys.scene import CARDS
from tests.journeys.scripted_channel import Person
from tests.journeys.stories import CUTS_SHORT

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.journeys.scene import Scene

CALLER = Person(talks_s=None)
AGENT = Person(talks_s=20, presses=CUTS_SHORT)
RECAPTURING = replace(CARDS, recapture=Recapture(after_s=30))


def test_who_rings_back_stands_in_their_promises_place_and_is_not_called_as_well(
    open_scene: Callable[..., Scene],
) -> None:
    """Ahead of a caller who came after the promise was made; served, the promise is kept."""
    scene = open_scene({"alice": Person(talks_s=None)}, signed_in=False)
    promise = scene.promised("+819012345678", person=CALLER)
    scene.pass_s(30)
    other = scene.rings(Person(talks_s=20), number="09012340002")
    scene.pass_s(30)
    customer = scene.rings(Person(talks_s=20), number="09012345678")
    scene.pass_s(10)
    assert prompts.WELCOME_BACK in customer.heard
    scene.registers("alice")
    scene.pass_s(5)
    assert (len(customer.talked_with), other.talked_with) == (1, [])
    (kept,) = scene.promises()
    assert (kept.id, kept.state) == (promise.id, PromiseState.FULFILLED)
    scene.pass_s(120)
    assert scene.pbx.of(Role.CUSTOMER) == []
    assert len(other.talked_with) == 1


def test_a_customer_who_rings_back_and_gives_up_keeps_the_promise(open_scene: Callable[..., Scene]) -> None:
    """They are called as before."""
    scene = open_scene({"alice": AGENT}, signed_in=False)
    scene.promised("+819012345678", person=Person(presses={prompts.CALLBACK_CONFIRM: ["1"]}, talks_s=20))
    scene.rings(Person(patience_s=20), number="09012345678")
    scene.pass_s(30)
    assert [promise.state for promise in scene.promises()] == [PromiseState.WAITING]
    scene.registers("alice")
    scene.pass_s(60)
    assert [promise.state for promise in scene.promises()] == [PromiseState.FULFILLED]
    assert len(scene.pbx.of(Role.CUSTOMER)) == 1


def test_a_dial_that_is_on_its_way_is_withdrawn_when_the_customer_rings_in(open_scene: Callable[..., Scene]) -> None:
    """No attempt is used; the agent hears why; the customer gets the next free agent."""
    scene = open_scene({"alice": AGENT}, cards=replace(CARDS, wrap_up_s=5))
    scene.promised("+819012345678", person=Person(answers_after_s=None))
    scene.pass_s(5)
    (dialled,) = scene.pbx.of(Role.CUSTOMER)
    assert [channel.id for channel in scene.pbx.live if channel.role is Role.CUSTOMER] == [dialled.id]
    customer = scene.rings(Person(talks_s=20), number="09012345678")
    scene.pass_s(2)
    assert dialled.hung_up_by == "controller"
    assert prompts.AGENT_WITHDRAWN in scene.pbx.of(Role.AGENT)[0].heard
    scene.pass_s(60)
    assert len(customer.talked_with) == 1
    (kept,) = scene.promises()
    assert (kept.state, kept.attempts_used) == (PromiseState.FULFILLED, 0)
    assert scene.attempts() == [("alice", "withdrawn")]


def test_an_agent_who_is_only_being_rung_is_let_go_when_the_customer_rings_in(
    open_scene: Callable[..., Scene],
) -> None:
    """Nobody was dialled: there is no attempt, and the agent serves the caller."""
    scene = open_scene({"alice": Person(answers_after_s=6, talks_s=20)})
    scene.promised("+819012345678", person=CALLER)
    scene.pass_s(2)
    customer = scene.rings(Person(talks_s=20), number="09012345678")
    scene.pass_s(60)
    assert len(customer.talked_with) == 1
    assert scene.attempts() == []
    assert [promise.state for promise in scene.promises()] == [PromiseState.FULFILLED]


def test_a_promise_with_another_queue_is_not_mixed_up(open_scene: Callable[..., Scene]) -> None:
    """Somebody may wait for two things at once."""
    scene = open_scene()
    scene.promised("+819012345678", queue="loans")
    caller = scene.rings(CALLER, number="09012345678")
    scene.pass_s(10)
    assert prompts.WELCOME_BACK not in caller.heard


@pytest.mark.parametrize(
    ("patience_s", "shown", "sent"),
    [(60, "09012345678", 1), (15, "09012345678", 0), (60, None, 0), (60, "0312345679", 0)],
)
def test_who_hangs_up_in_line_after_a_while_gets_one_sms(
    open_scene: Callable[..., Scene], patience_s: float, shown: str | None, sent: int
) -> None:
    """Not who changed their mind at once, nor a phone that takes none; abandoned they are all."""
    scene = open_scene(cards=RECAPTURING)
    caller = scene.rings(Person(patience_s=patience_s), number=shown)
    scene.pass_s(100)
    assert scene.endings() == {caller.id: "abandoned"}
    rows = scene.theatre.sql("SELECT template FROM sms_outbox")
    assert rows == [("missed_you",)] * sent


def test_who_hangs_up_with_an_open_promise_gets_no_sms(open_scene: Callable[..., Scene]) -> None:
    """They will be called."""
    scene = open_scene(cards=RECAPTURING)
    scene.promised("+819012345678")
    scene.rings(Person(patience_s=60), number="09012345678")
    scene.pass_s(100)
    assert scene.theatre.sql("SELECT id FROM sms_outbox") == []


def test_somebody_who_hangs_up_twice_a_day_gets_one_sms(open_scene: Callable[..., Scene]) -> None:
    """Once a day and number."""
    scene = open_scene(cards=RECAPTURING)
    for _ in range(2):
        scene.rings(Person(patience_s=60), number="09012345678")
        scene.pass_s(100)
    assert len(scene.theatre.sql("SELECT id FROM sms_outbox")) == 1


def test_a_colleague_who_talks_over_a_restart_does_not_settle_what_the_other_has_left_meanwhile(
    open_scene: Callable[..., Scene],
) -> None:
    """Two of an office call from one number: one talks, the other then leaves the number; the controller is killed."""
    scene = open_scene({"alice": Person(talks_s=None)})
    scene.rings(Person(talks_s=300), number="09012345678")
    scene.pass_s(10)
    scene.rings(Person(presses={prompts.HOLD_OFFER: ["1"], prompts.USE_THIS_NUMBER: ["1"]}), number="09012345678")
    scene.pass_s(40)
    assert len(scene.promises()) == 1
    scene.restart()
    scene.pass_s(20)
    assert [each.state for each in scene.promises()] == [PromiseState.WAITING]
