"""What a call leaves in the queue_log."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from controller.domain.queue_events import Abandoned, Completed, Connected, Entered, LeftWithKey, RangOut
from controller.journeys import prompts
from controller.ports.survey import Role
from tests.journeys.scripted_channel import Person

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.journeys.scene import Scene

DEAF = Person(answers_after_s=None)


def test_a_served_call_enters_connects_and_completes(open_scene: Callable[..., Scene]) -> None:
    """With the waits, and who hung up."""
    scene = open_scene({"alice": Person(answers_after_s=4, talks_s=None)})
    caller = scene.rings(Person(talks_s=30))
    scene.pass_s(60)
    entered, connected, completed = scene.queue_events
    assert entered == Entered(caller.id, "cards", "09012345678", place=1)
    assert isinstance(connected, Connected)
    assert (connected.agent, connected.agent_call_id) == ("alice", "agent-1")
    assert connected.ring_s == pytest.approx(4, abs=0.5)
    assert isinstance(completed, Completed)
    assert completed.talk_s == pytest.approx(30, abs=0.5)
    assert (completed.by_agent, completed.first_place) == (False, 1)


def test_an_agent_who_does_not_answer_and_a_caller_who_gives_up_are_noted(open_scene: Callable[..., Scene]) -> None:
    """RINGNOANSWER, then ABANDON with the places and the wait."""
    scene = open_scene({"alice": DEAF})
    caller = scene.rings(Person(patience_s=25))
    scene.pass_s(40)
    _, rang, abandoned = scene.queue_events
    assert isinstance(rang, RangOut)
    assert rang.ring_s == pytest.approx(20, abs=0.5)
    assert isinstance(abandoned, Abandoned)
    assert (abandoned.call_id, abandoned.place, abandoned.first_place) == (caller.id, 1, 1)


def test_who_hangs_up_while_the_agent_rings_is_noted_as_abandoned(open_scene: Callable[..., Scene]) -> None:
    """Their place is known to the end."""
    scene = open_scene({"alice": DEAF})
    scene.rings(Person(patience_s=8))
    scene.pass_s(20)
    assert [type(event) for event in scene.queue_events] == [Entered, Abandoned]


def test_who_leaves_a_number_leaves_the_line_with_a_key(open_scene: Callable[..., Scene]) -> None:
    """EXITWITHKEY, and the callback enters and completes under its own call."""
    scene = open_scene({"alice": Person(talks_s=20)}, signed_in=False)
    scene.pbx.customers["+819012345678"] = Person(presses={prompts.CALLBACK_CONFIRM: ["1"]}, talks_s=None)
    caller = scene.rings(Person(presses={prompts.HOLD_OFFER: ["1"], prompts.USE_THIS_NUMBER: ["1"]}))
    scene.pass_s(60)
    scene.registers("alice")
    scene.pass_s(60)
    kinds = [type(event) for event in scene.queue_events]
    assert kinds == [Entered, LeftWithKey, Entered, Connected, Completed]
    left = scene.queue_events[1]
    assert isinstance(left, LeftWithKey)
    assert (left.call_id, left.key) == (caller.id, "1")
    assert scene.queue_events[2].call_id == scene.pbx.of(Role.CUSTOMER)[0].id  # type: ignore[union-attr]
