"""Who writes STOP, who is not understood, and who is nobody to us."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from controller.domain.promise import PromiseState
from controller.journeys.sms_reply import Settled, Taken
from tests.journeys.writing import NUMBER, OTHER, Writing, not_reached

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.journeys.scene import Scene


@pytest.mark.parametrize("text", ["STOP", "停止", "配信停止"])
@pytest.mark.parametrize("number", [NUMBER, OTHER, "+14155552671"])
def test_stop_is_final_whoever_writes_it(open_scene: Callable[..., Scene], text: str, number: str) -> None:
    """A customer, a stranger, a number that we would never call: on the list at once, and no answer."""
    scene = open_scene()
    writing = not_reached(scene)
    assert writing.says(text, number=number) == Settled(Taken.STOP)
    assert scene.theatre.outside(scene.theatre.store.do_not_call.is_blocked(number))
    assert scene.promises()[0].state is (PromiseState.CANCELLED if number == NUMBER else PromiseState.WAITING)
    assert writing.owed() == []


def test_stop_from_a_name_goes_to_a_person(open_scene: Callable[..., Scene]) -> None:
    """There is no number to put on the list."""
    scene = open_scene()
    assert Writing(scene).says("STOP", number="KDDI") == Settled(Taken.STOP, needs_person=True)


@pytest.mark.parametrize("text", ["1", "明日15時"])
def test_who_asked_never_to_be_called_and_now_asks_for_a_call_gets_a_person(
    open_scene: Callable[..., Scene], text: str
) -> None:
    """A machine does not take somebody off the list."""
    scene = open_scene()
    writing = not_reached(scene)
    writing.says("STOP")
    assert writing.says(text) == Settled(Taken.BLOCKED, needs_person=True)
    assert [each.state for each in scene.promises()] == [PromiseState.CANCELLED]
    assert writing.owed() == []


def test_what_is_not_understood_gets_one_answer_a_day_and_then_a_person(open_scene: Callable[..., Scene]) -> None:
    """The second time somebody has to read it."""
    scene = open_scene()
    writing = not_reached(scene)
    before = scene.promises()
    assert writing.says("どなたですか") == Settled(Taken.NOT_UNDERSTOOD)
    assert writing.owed() == [("reply_help", {})]
    assert writing.says("どなたですか") == Settled(Taken.NOT_UNDERSTOOD, needs_person=True)
    assert len(writing.owed()) == 1
    assert scene.promises() == before
    scene.pass_s(25 * 3600)
    assert writing.says("どなたですか") == Settled(Taken.NOT_UNDERSTOOD)
    assert [template for template, _ in writing.owed()].count("reply_help") == 2


@pytest.mark.parametrize("text", ["1", "明日15時", "cancel", "どなたですか"])
@pytest.mark.parametrize("number", [NUMBER, "+14155552671", "+81120123456", "KDDI"])
def test_strangers_make_us_send_nothing(open_scene: Callable[..., Scene], text: str, number: str) -> None:
    """Nobody whom we wrote to, or owe a call: a person reads it."""
    scene = open_scene()
    writing = Writing(scene)
    assert writing.says(text, number=number) == Settled(Taken.STRANGER, needs_person=True)
    assert (scene.promises(), writing.owed()) == ([], [])
