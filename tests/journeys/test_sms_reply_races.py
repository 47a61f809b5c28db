"""A reply while the call is on its way, while they talk, and with the controller killed at each of its steps."""

from __future__ import annotations

from dataclasses import replace
from datetime import time
from typing import TYPE_CHECKING

import pytest

from controller.domain.effects import SmsTemplate
from controller.domain.opening_hours import OpeningHours, Span
from controller.domain.promise import PromiseState
from controller.journeys import prompts
from controller.journeys.sms_reply import Settled, Taken
from controller.ports.survey import Role
from tests.journeys.scene import CARDS
from tests.journeys.scripted import DATABASE
from tests.journeys.scripted_call import Moment
from tests.journeys.scripted_channel import Person
from tests.journeys.test_dialer_races import until
from tests.journeys.writing import HALF_HOURS, NUMBER, TOKYO, Writing

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.journeys.scene import Scene
    from tests.journeys.scripted_call import Step

AGENT = Person(talks_s=None, patience_s=400)
DEAF = Person(answers_after_s=None)
SAYS_YES = Person(answers_after_s=5, presses={prompts.CALLBACK_CONFIRM: ["1"]}, talks_s=30)


@pytest.mark.parametrize(("text", "meaning"), [("cancel", Taken.CANCEL), ("STOP", Taken.STOP)])
def test_who_cancels_while_their_phone_rings_is_rung_no_longer(
    open_scene: Callable[..., Scene], text: str, meaning: Taken
) -> None:
    """The dial is taken back, and nobody is called again."""
    scene = open_scene({"alice": AGENT})
    scene.promised(NUMBER, person=DEAF)
    writing = Writing(scene)
    writing.texted()
    until(scene, "customer", "dial")
    scene.pass_s(2)
    assert writing.says(text) == Settled(meaning)
    scene.pass_s(1)
    (customer,) = scene.pbx.of(Role.CUSTOMER)
    assert customer.hung_up_by == "controller"
    scene.pass_s(4000)
    assert scene.promises()[0].state is PromiseState.CANCELLED
    assert len(scene.pbx.of(Role.CUSTOMER)) == 1
    assert scene.attempts() == [("alice", "withdrawn")]


@pytest.mark.parametrize("text", ["cancel", "STOP"])
def test_who_cancels_before_the_agent_answers_is_not_dialled(open_scene: Callable[..., Scene], text: str) -> None:
    """The agent's phone rings still."""
    scene = open_scene({"alice": Person(answers_after_s=15, talks_s=None)})
    scene.promised(NUMBER, person=SAYS_YES)
    writing = Writing(scene)
    writing.texted()
    scene.pass_s(3)
    writing.says(text)
    scene.pass_s(60)
    assert scene.pbx.of(Role.CUSTOMER) == []


@pytest.mark.parametrize(
    ("text", "meaning"),
    [("cancel", Taken.CANCEL), ("1", Taken.NOW), ("明日15時", Taken.TIME), ("STOP", Taken.STOP)],
)
def test_a_talk_that_has_begun_goes_on_whatever_is_written(
    open_scene: Callable[..., Scene], text: str, meaning: Taken
) -> None:
    """There is nothing to do any more; the promise is kept, and the customer called once."""
    scene = open_scene({"alice": AGENT})
    scene.promised(NUMBER, person=SAYS_YES)
    writing = Writing(scene)
    writing.texted()
    until(scene, "customer", "connect")
    scene.pass_s(2)
    assert writing.says(text) == Settled(meaning)
    scene.pass_s(4000)
    assert [each.state for each in scene.promises()] == [PromiseState.FULFILLED]
    assert len(scene.pbx.of(Role.CUSTOMER)) == 1
    assert writing.owed() == []


def test_who_talks_is_not_told_that_a_time_is_taken(open_scene: Callable[..., Scene]) -> None:
    """They wrote before they took the call; what they want they can say."""
    all_but_the_evening = (Span(time(0), time(20)), Span(time(21), time(0)))
    scene = open_scene({"alice": AGENT}, cards=replace(CARDS, hours=OpeningHours((all_but_the_evening,) * 7, TOKYO)))
    now = scene.theatre.clock.now().astimezone(TOKYO)
    scene.pass_s((10 - now.hour) % 24 * 3600)
    scene.promised(NUMBER, person=SAYS_YES)
    writing = Writing(scene)
    writing.texted()
    until(scene, "customer", "connect")
    assert writing.says("明日20時") == Settled(Taken.TIME)
    assert writing.owed() == []


def test_what_was_promised_before_a_crash_is_not_refused_after_it(open_scene: Callable[..., Scene]) -> None:
    """The process died before it had settled the reply, and comes up when the time has passed."""
    scene = open_scene(cards=HALF_HOURS)
    scene.promised(NUMBER)
    writing = Writing(scene)
    writing.texted()
    writing.acted("明日15時")
    scene.pass_s(2 * 24 * 3600)
    assert writing.answered() == [Settled(Taken.TIME)]
    assert "time_taken" not in [template for template, _ in writing.owed()]


def test_now_while_the_phone_rings_changes_nothing(open_scene: Callable[..., Scene]) -> None:
    """It is what is being done."""
    scene = open_scene({"alice": AGENT})
    scene.promised(NUMBER, person=DEAF)
    writing = Writing(scene)
    writing.texted()
    until(scene, "customer", "dial")
    (before,) = scene.promises()
    assert before.state is PromiseState.DIALLING
    assert writing.says("1") == Settled(Taken.NOW)
    assert scene.promises() == [before]
    assert writing.owed() == []


def test_a_time_while_the_phone_rings_counts_when_nobody_answers(open_scene: Callable[..., Scene]) -> None:
    """The call goes on; if it is in vain, the next is at the time."""
    scene = open_scene({"alice": AGENT})
    scene.promised(NUMBER, person=DEAF)
    writing = Writing(scene)
    writing.texted()
    until(scene, "customer", "dial")
    assert writing.says("明日15時") == Settled(Taken.TIME)
    scene.pass_s(120)
    (promise,) = scene.promises()
    assert promise.slot is not None
    assert (promise.state, promise.not_before) == (PromiseState.WAITING, promise.slot.starts_at)


class KilledAt:
    """Kill the controller at one moment of the n-th transaction from now on."""

    def __init__(self, scene: Scene, nth: int, moment: Moment) -> None:
        self._scene = scene
        self._at = (sum(step.who == DATABASE for step in scene.pbx.steps) + nth, moment)

    def __call__(self, step: Step, moment: Moment) -> None:
        """Kill it, if it is this moment."""
        if step.who == DATABASE and (step.ordinal, moment) == self._at and not self._scene.killed:
            self._scene.kill()


@pytest.mark.parametrize("text", ["1", "明日15時", "cancel", "STOP", "どなたですか"])
@pytest.mark.parametrize("moment", [Moment.BEFORE, Moment.AFTER])
def test_wherever_the_controller_is_killed_the_reply_is_acted_on_once(
    open_scene: Callable[..., Scene], text: str, moment: Moment
) -> None:
    """Before or after each of its transactions: the next one acts on what was not settled; nothing is owed twice."""
    undisturbed, kills = _end(open_scene, text, None, moment)
    assert kills == 0
    nth = 0
    while True:
        end, kills = _end(open_scene, text, nth, moment)
        if kills == 0:
            break
        assert end == undisturbed, f"killed {moment} transaction {nth}"
        nth += 1
    assert nth >= 3


def _end(open_scene: Callable[..., Scene], text: str, nth: int | None, moment: Moment) -> tuple[object, int]:
    """Return what is in the database after the reply, killed once or not; and how often it was killed."""
    scene = open_scene(cards=HALF_HOURS)
    scene.promised(NUMBER)
    writing = Writing(scene)
    writing.texted(template=SmsTemplate.NOT_REACHED)
    writing.comes_in(text)
    if nth is not None:
        scene.pbx.plans.append(KilledAt(scene, nth, moment))
    scene.do(lambda: scene.supervisor.spawn(writing.act()))
    scene.pass_s(5)
    kills = int(scene.killed)
    if scene.killed:
        scene.restart()
        writing.answered()
    promises = [(each.state, each.slot and each.slot.starts_at.time()) for each in scene.promises()]
    replies = scene.theatre.sql("SELECT meaning, needs_person FROM sms_replies")
    owed = [template for template, _ in writing.owed()]
    scene.close()
    return (promises, replies, owed), kills
