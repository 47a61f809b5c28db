"""What somebody writes back: now, a time, cancel, STOP, and what nobody understands."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import time, timedelta
from typing import TYPE_CHECKING

import pytest

from controller.domain.effects import SmsTemplate
from controller.domain.opening_hours import OpeningHours, Span
from controller.domain.promise import PromiseState
from controller.journeys.sms_reply import LONGEST_CALL_ID, Settled, Taken
from tests.journeys.scene import CARDS
from tests.journeys.writing import HALF_HOURS, NUMBER, OTHER, TOKYO, Writing, details, half_hour, not_reached, tomorrow

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.journeys.scene import Scene


@pytest.mark.parametrize("text", ["1", "now", "今すぐ"])
def test_now_makes_the_next_call_due_at_once(open_scene: Callable[..., Scene], text: str) -> None:
    """The gap after a call in vain is over; an SMS confirms it."""
    scene = open_scene()
    writing = not_reached(scene)
    assert scene.promises()[0].not_before > scene.theatre.clock.now() + timedelta(minutes=30)
    assert writing.says(text) == Settled(Taken.NOW)
    (promise,) = scene.promises()
    assert promise.state is PromiseState.WAITING
    assert promise.not_before < scene.theatre.clock.now() + timedelta(seconds=30)
    assert writing.owed() == [("confirmed", {"not_before": promise.not_before.isoformat()})]


@pytest.mark.parametrize("template", [SmsTemplate.MISSED_YOU, SmsTemplate.GAVE_UP, SmsTemplate.EXPIRED])
def test_who_holds_no_promise_is_promised_a_call_by_the_queue_that_wrote(
    open_scene: Callable[..., Scene], template: SmsTemplate
) -> None:
    """A promise that is over, or never was, is asked for anew; in the language that we wrote in."""
    scene = open_scene()
    writing = Writing(scene)
    writing.texted(template=template, queue="loans", language="en")
    assert writing.says("now") == Settled(Taken.NOW)
    (promise,) = scene.promises()
    assert (promise.queue, promise.number, promise.language, promise.slot) == ("loans", NUMBER, "en", None)


@pytest.mark.parametrize(
    ("text", "hour", "minute"),
    [("明日15時", 15, 0), ("tomorrow 3pm", 15, 0), ("明日16時半", 16, 30), ("明日の午前", 9, 0)],
)
def test_a_time_is_promised_as_a_window_that_begins_then(
    open_scene: Callable[..., Scene], text: str, hour: int, minute: int
) -> None:
    """A queue without a plan has half an hour from any time on; from "in the morning" on the first."""
    scene = open_scene()
    writing = not_reached(scene)
    window = half_hour(tomorrow(scene, hour, minute))
    assert writing.says(text) == Settled(Taken.TIME)
    (promise,) = scene.promises()
    assert (promise.slot, promise.not_before, promise.state) == (window, window.starts_at, PromiseState.WAITING)
    assert writing.owed() == [("confirmed", details(window))]


def test_a_time_is_promised_in_the_window_of_the_plan_that_it_lies_in(open_scene: Callable[..., Scene]) -> None:
    """Ten past three, in the window of three."""
    scene = open_scene(cards=HALF_HOURS)
    writing = not_reached(scene)
    assert writing.says("明日15:10") == Settled(Taken.TIME)
    assert scene.promises()[0].slot == half_hour(tomorrow(scene, 15))


def test_a_time_that_is_taken_is_answered_with_the_nearest_that_is_not(open_scene: Callable[..., Scene]) -> None:
    """Nothing is promised: the promise stays what it was."""
    scene = open_scene(cards=HALF_HOURS)
    first = Writing(scene)
    first.texted(OTHER)
    assert first.says("明日15時", number=OTHER) == Settled(Taken.TIME)
    writing = not_reached(scene)
    before = scene.promises()
    owed_before = writing.owed()
    assert writing.says("明日15時") == Settled(Taken.TIME_TAKEN)
    assert scene.promises() == before
    assert writing.owed() == [*owed_before, ("time_taken", details(half_hour(tomorrow(scene, 14, 30))))]


def test_a_span_is_answered_with_the_first_free_window_within_it(open_scene: Callable[..., Scene]) -> None:
    """Two want to be called tomorrow morning: one at nine, the other half an hour later."""
    scene = open_scene(cards=HALF_HOURS)
    writing = Writing(scene)
    for number in (NUMBER, OTHER):
        writing.texted(number)
        assert writing.says("明日の午前", number=number) == Settled(Taken.TIME)
    assert [each.slot for each in scene.promises()] == [
        half_hour(tomorrow(scene, 9)),
        half_hour(tomorrow(scene, 9, 30)),
    ]


def test_who_asks_for_their_own_time_again_keeps_it(open_scene: Callable[..., Scene]) -> None:
    """Its only place is taken: by them."""
    scene = open_scene(cards=HALF_HOURS)
    writing = not_reached(scene)
    assert writing.says("明日15時") == writing.says("tomorrow 3pm") == Settled(Taken.TIME)
    assert scene.promises()[0].slot == half_hour(tomorrow(scene, 15))


def test_a_time_out_of_hours_is_answered_with_the_nearest_within(open_scene: Callable[..., Scene]) -> None:
    """Open from ten to noon; eight in the evening is not."""
    scene = open_scene(cards=replace(CARDS, hours=OpeningHours(((Span(time(10), time(12)),),) * 7, TOKYO)))
    writing = not_reached(scene)
    assert writing.says("明日20時") == Settled(Taken.TIME_TAKEN)
    assert writing.owed() == [("time_taken", details(half_hour(tomorrow(scene, 11, 30))))]
    assert scene.promises()[0].slot is None


def test_a_queue_that_is_never_open_has_no_time_to_offer(open_scene: Callable[..., Scene]) -> None:
    """The answer says so, and names none."""
    scene = open_scene(cards=replace(CARDS, hours=OpeningHours(((),) * 7, TOKYO)))
    writing = not_reached(scene)
    assert writing.says("明日15時") == Settled(Taken.TIME_TAKEN)
    assert writing.owed() == [("time_taken", {})]


@pytest.mark.parametrize("text", ["2", "cancel", "キャンセル"])
def test_cancel_ends_the_promise_and_says_so(open_scene: Callable[..., Scene], text: str) -> None:
    """Nobody calls any more."""
    scene = open_scene()
    writing = not_reached(scene)
    assert writing.says(text) == Settled(Taken.CANCEL)
    assert scene.promises()[0].state is PromiseState.CANCELLED
    assert writing.owed() == [("cancelled", {})]


def test_cancel_finds_the_promise_whichever_queue_wrote_last(open_scene: Callable[..., Scene]) -> None:
    """A page by SMS is signed by the first queue; the promise is with the other."""
    scene = open_scene()
    scene.promised(NUMBER, queue="loans")
    writing = Writing(scene)
    writing.texted(template=SmsTemplate.CONFIRMED, queue="cards")
    assert writing.says("キャンセル") == Settled(Taken.CANCEL)
    assert [(each.queue, each.state) for each in scene.promises()] == [("loans", PromiseState.CANCELLED)]


def test_cancel_leaves_the_promise_of_another_queue_alone(open_scene: Callable[..., Scene]) -> None:
    """Meant is the one that the SMS was about."""
    scene = open_scene()
    scene.promised(NUMBER, queue="loans")
    scene.promised(NUMBER, queue="cards")
    writing = Writing(scene)
    writing.texted(queue="cards")
    writing.says("cancel")
    assert {each.queue: each.state for each in scene.promises()} == {
        "cards": PromiseState.CANCELLED,
        "loans": PromiseState.WAITING,
    }


def test_who_holds_a_promise_is_no_stranger_though_we_never_wrote(open_scene: Callable[..., Scene]) -> None:
    """They write to the number that is shown when we call."""
    scene = open_scene()
    scene.promised(NUMBER, queue="loans")
    assert Writing(scene).says("cancel") == Settled(Taken.CANCEL)
    assert scene.promises()[0].state is PromiseState.CANCELLED


def test_a_reply_to_a_queue_that_is_no_more_goes_to_the_first(open_scene: Callable[..., Scene]) -> None:
    """Somebody took it out of the settings after we wrote."""
    scene = open_scene()
    writing = Writing(scene)
    writing.texted(queue="gone")
    assert writing.says("1") == Settled(Taken.NOW)
    assert [each.queue for each in scene.promises()] == ["cards"]


@pytest.mark.parametrize("text", ["1", "明日15時", "cancel", "STOP", "どなたですか"])
def test_a_reply_that_is_acted_on_twice_changes_nothing_more(open_scene: Callable[..., Scene], text: str) -> None:
    """As after a crash between the act and its record. The window has one place, which must not count against them."""
    seen = []
    for twice in (False, True):
        scene = open_scene(cards=HALF_HOURS)
        writing = not_reached(scene)
        (writing.acted_twice if twice else writing.says)(text)
        promises = [(each.state, each.slot and each.slot.starts_at.time()) for each in scene.promises()]
        replies = scene.theatre.sql("SELECT meaning, needs_person FROM sms_replies")
        seen.append((promises, [template for template, _ in writing.owed()], replies))
        scene.close()
    assert seen[0] == seen[1]


def test_the_same_reply_delivered_twice_is_one_reply(open_scene: Callable[..., Scene]) -> None:
    """Providers repeat what they got no answer to."""
    scene = open_scene()
    writing = not_reached(scene)
    assert writing.comes_in("1", event_id="one")
    assert not writing.comes_in("1", event_id="one")
    assert writing.answered() == [Settled(Taken.NOW)]
    assert len(writing.owed()) == 1


def test_two_replies_at_once_make_one_promise(open_scene: Callable[..., Scene]) -> None:
    """Two readers act on them at the same time."""
    scene = open_scene()
    writing = Writing(scene)
    writing.texted(template=SmsTemplate.MISSED_YOU)
    writing.comes_in("1")
    writing.comes_in("明日15時")

    async def both() -> None:
        await asyncio.gather(writing.answer_all(), writing.answer_all())

    scene.theatre.loop.run_until_complete(both())
    assert len(scene.promises()) == 1


def test_long_ids_of_a_provider_do_not_run_into_each_other(open_scene: Callable[..., Scene]) -> None:
    """Two replies whose ids differ at the end alone are two requests."""
    scene = open_scene()
    writing = not_reached(scene)
    for last, text in (("a", "明日15時"), ("b", "明日16時")):
        writing.comes_in(text, event_id="x" * LONGEST_CALL_ID + last)
        assert writing.answered() == [Settled(Taken.TIME)]
    assert scene.promises()[0].slot == half_hour(tomorrow(scene, 16))
