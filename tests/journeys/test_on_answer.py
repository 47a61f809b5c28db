"""What a customer can choose who answers a callback: above all, to be called later."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from controller.domain.gate import CallingHours
from controller.domain.outcome import Outcome
from controller.domain.promise import PromiseState
from controller.journeys import prompts
from controller.ports.survey import Role
from tests.journeys.scripted_channel import Person
from tests.journeys.stories import AGENT, NUMBER, YES

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.journeys.scene import Scene
    from tests.journeys.scripted_call import Moment, Step
    from tests.journeys.scripted_channel import Channel

LATER = {prompts.CALLBACK_CONFIRM: ["2"]}


def called_back(scene: Scene, person: Person) -> Channel:
    """Call this person back, and return the channel once it is over."""
    scene.promised(NUMBER, person=person)
    scene.pass_s(150)
    (customer,) = scene.pbx.of(Role.CUSTOMER)
    assert customer.gone
    return customer


def is_due_after_min(scene: Scene) -> float:
    """Return how long after the end of the attempt the promise falls due, in minutes, as a table has it."""
    (promise,) = scene.promises()
    assert (promise.state, promise.last_outcome, promise.attempts_used) == (
        PromiseState.WAITING,
        Outcome.POSTPONED,
        0,
    )
    ((ended_at,),) = scene.theatre.sql("SELECT ended_at FROM attempts")
    return (promise.not_before - datetime.fromisoformat(ended_at).replace(tzinfo=UTC)).total_seconds() / 60


@pytest.mark.parametrize("key", "123456789")
def test_a_customer_chooses_in_ten_to_ninety_minutes_with_one_key(open_scene: Callable[..., Scene], key: str) -> None:
    """It is read back, confirmed, and kept; no attempt is used."""
    scene = open_scene({"alice": AGENT})
    presses = {**LATER, prompts.LATER_CHOOSE: [key], prompts.LATER_CONFIRM: ["1"]}
    customer = called_back(scene, Person(presses=presses))
    assert customer.heard == [
        prompts.CALLBACK_GREETING,
        prompts.CALLBACK_CONFIRM,
        prompts.LATER_CHOOSE,
        f"later-{key}0",
        prompts.LATER_CONFIRM,
        prompts.LATER_GOODBYE,
    ]
    assert is_due_after_min(scene) == int(key) * 10


def test_a_customer_who_is_called_later_talks_then(open_scene: Callable[..., Scene]) -> None:
    """Not before, and with the first agent who is free."""
    scene = open_scene({"alice": AGENT})
    called_back(scene, Person(presses={**LATER, prompts.LATER_CHOOSE: ["2"], prompts.LATER_CONFIRM: ["1"]}))
    scene.pbx.customers[NUMBER] = Person(presses=YES)
    scene.pass_s(17 * 60)
    assert scene.attempts() == [("alice", "postponed")]
    scene.pass_s(5 * 60)
    assert scene.attempts() == [("alice", "postponed"), ("alice", "talked")]


@pytest.mark.parametrize(
    ("presses", "minutes"),
    [
        ({prompts.LATER_CHOOSE: ["2", "7"], prompts.LATER_CONFIRM: ["2", "1"]}, 70),
        ({prompts.LATER_CHOOSE: ["0", "#", "4"], prompts.LATER_CONFIRM: ["1"]}, 40),
        ({prompts.LATER_CHOOSE: ["4"]}, 40),
        ({prompts.LATER_CHOOSE: ["4"], prompts.LATER_CONFIRM: ["7", "8", "9"]}, 40),
        ({prompts.LATER_CHOOSE: ["2", "3"], prompts.LATER_CONFIRM: ["2", "2"]}, 30),
        ({}, 30),
    ],
    ids=["chooses again", "slips", "says no more", "presses anything", "cannot decide", "says nothing"],
)
def test_who_wants_to_be_called_later_is_called_later_whatever_they_press(
    open_scene: Callable[..., Scene], presses: dict[str, list[str]], minutes: float
) -> None:
    """They need no talent for menus; half an hour is what they are told when they have chosen nothing."""
    scene = open_scene({"alice": AGENT})
    customer = called_back(scene, Person(presses={**LATER, **presses}))
    assert customer.heard[-1] == prompts.LATER_GOODBYE
    assert f"later-{minutes}" in customer.heard
    assert is_due_after_min(scene) == minutes


@pytest.mark.parametrize(("heard", "minutes"), [(prompts.LATER_CHOOSE, 30), (prompts.LATER_CONFIRM, 80)])
def test_who_hangs_up_over_the_question_when_is_called_later_all_the_same(
    open_scene: Callable[..., Scene], heard: str, minutes: float
) -> None:
    """They said what they want; in half an hour, or when they have chosen."""
    scene = open_scene({"alice": AGENT})

    def hangs_up(_step: Step, _moment: Moment) -> None:
        for customer in scene.pbx.of(Role.CUSTOMER):
            if customer.heard[-1:] == [heard]:
                customer.hang_up("person")

    scene.pbx.plans.append(hangs_up)
    keys = ["", "8"] if heard == prompts.LATER_CHOOSE else ["8"]
    called_back(scene, Person(presses={**LATER, prompts.LATER_CHOOSE: keys}))
    assert is_due_after_min(scene) == minutes


def test_who_chooses_a_time_at_which_nobody_may_be_called_is_told_and_called_when_it_may_be(
    open_scene: Callable[..., Scene],
) -> None:
    """The gate moves it; what was chosen stands in the promise."""
    scene = open_scene({"alice": AGENT}, signed_in=False)
    now = scene.theatre.clock.now()
    hours = CallingHours((now - timedelta(hours=1)).time(), (now + timedelta(minutes=30)).time(), ZoneInfo("UTC"))
    scene.queues["cards"] = replace(scene.queues["cards"], calling_hours=hours)
    scene.registers("alice")
    customer = called_back(scene, Person(presses={**LATER, prompts.LATER_CHOOSE: ["6"], prompts.LATER_CONFIRM: ["1"]}))
    assert customer.heard[-2:] == [prompts.LATER_NEXT_HOURS, prompts.LATER_GOODBYE]
    assert is_due_after_min(scene) == 60
    scene.pbx.customers[NUMBER] = Person(presses=YES)
    scene.pass_s(6 * 3600)
    assert len(scene.attempts()) == 1
    scene.pass_s(18 * 3600)
    assert scene.attempts()[1:] == [("alice", "talked")]
