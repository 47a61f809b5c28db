"""What a supervisor does to agents, and what is shown of them: over the real desks and journeys."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from controller.domain.agents import AgentState
from controller.domain.pin import Guesses
from controller.ports.floor import Refused, Severity
from controller.ports.survey import Role
from controller.store.agent_book import StoredAgentBook
from controller.workers.duty_desk import DutyDesk
from tests.journeys.floor_stage import SUPERVISORS_PHONE, FloorStage
from tests.journeys.scene import CARDS
from tests.journeys.scripted_channel import Person
from tests.journeys.stories import AGENT, YES

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.journeys.scene import Scene

CALLER = Person(patience_s=600)
NUMBER = "+819012345678"


def test_a_pause_is_in_force_at_once_and_after_a_restart(open_scene: Callable[..., Scene]) -> None:
    """It is kept before it is said to be done; its reason is shown."""
    scene = open_scene({"alice": AGENT})
    stage = FloorStage(scene)
    assert stage.do(stage.floor.pause("alice", "lunch")) is None
    assert (stage.agent("alice").state, stage.agent("alice").reason) == (AgentState.PAUSED, "lunch")
    caller = scene.rings(CALLER)
    scene.pass_s(10)
    assert scene.pbx.of(Role.AGENT) == []
    scene.restart()
    desk = DutyDesk(scene.desk, StoredAgentBook(scene.theatre.store.database), scene.theatre.clock, pin_required=False)
    scene.theatre.outside(desk.load())
    stage = FloorStage(scene)
    assert stage.agent("alice").reason == "lunch"
    assert stage.do(stage.floor.unpause("alice")) is None
    scene.pass_s(5)
    assert caller.talked_with


def test_a_pause_in_a_talk_comes_after_it(open_scene: Callable[..., Scene]) -> None:
    """And so does signing out; signing in undoes both."""
    scene = open_scene({"alice": replace(AGENT, talks_s=20)})
    stage = FloorStage(scene)
    scene.rings(CALLER)
    scene.pass_s(5)
    assert stage.do(stage.floor.pause("alice", "meeting")) is None
    assert (stage.agent("alice").state, stage.agent("alice").reason) == (AgentState.ON_CALL, "meeting")
    scene.pass_s(40)
    assert stage.agent("alice").state is AgentState.PAUSED
    assert stage.do(stage.floor.sign_out("alice")) is None
    assert stage.agent("alice").state is AgentState.SIGNED_OUT
    assert stage.do(stage.floor.pause("alice", "meeting")) is Refused.NOT_NOW
    assert stage.do(stage.floor.sign_in("alice")) is None
    assert stage.agent("alice").state is AgentState.AVAILABLE


def test_who_is_paused_while_their_phone_rings_talks_first(open_scene: Callable[..., Scene]) -> None:
    """The caller is not told to wait for somebody else."""
    scene = open_scene({"alice": replace(AGENT, answers_after_s=5, talks_s=20)})
    stage = FloorStage(scene)
    caller = scene.rings(CALLER)
    scene.pass_s(4)
    assert stage.agent("alice").state is AgentState.RINGING
    assert stage.do(stage.floor.pause("alice", "break")) is None
    scene.pass_s(6)
    assert caller.talked_with == ["agent-1"]
    scene.pass_s(60)
    assert stage.agent("alice").state is AgentState.PAUSED


def test_a_supervisor_signs_somebody_in_who_would_need_a_pin_at_the_phone(open_scene: Callable[..., Scene]) -> None:
    """They have proved who they are otherwise; wrong guesses at the phone stay what they were."""
    scene = open_scene({"alice": AGENT})
    book = StoredAgentBook(scene.theatre.store.database)
    at = scene.theatre.clock.now()
    scene.theatre.outside(book.set_pin("alice", "hash", duty_if_new=scene.desk.agent("alice").duty, at=at))
    stage = FloorStage(scene)
    stage.do(stage.floor.sign_out("alice"))
    stage.do(book.keep_guesses("alice", Guesses(3)))
    assert stage.do(stage.floor.sign_in("alice")) is None
    assert stage.agent("alice").state is AgentState.AVAILABLE
    kept = stage.do(book.find("alice"))
    assert kept is not None
    assert (kept.duty.signed_in, kept.guesses) == (True, Guesses(3))


def test_a_wrap_up_ends_sooner_or_later_by_hand(open_scene: Callable[..., Scene]) -> None:
    """When it will be over is shown; it can be made longer more than once."""
    scene = open_scene({"alice": replace(AGENT, talks_s=10)}, cards=replace(CARDS, wrap_up_s=20))
    stage = FloorStage(scene)
    scene.rings(CALLER)
    scene.pass_s(18)
    shown = stage.agent("alice")
    assert shown.state is AgentState.WRAP_UP
    assert shown.rest_ends_at == shown.since + timedelta(seconds=20)
    for _ in range(2):
        assert stage.do(stage.floor.extend_wrap_up("alice", 30)) is None
    assert stage.agent("alice").rest_ends_at == shown.since + timedelta(seconds=80)
    scene.pass_s(70)
    assert stage.agent("alice").state is AgentState.WRAP_UP
    scene.pass_s(10)
    assert (stage.agent("alice").state, stage.agent("alice").rest_ends_at) == (AgentState.AVAILABLE, None)
    assert stage.do(stage.floor.extend_wrap_up("alice", 30)) is Refused.NOT_NOW
    assert stage.do(stage.floor.end_wrap_up("alice")) is Refused.NOT_NOW
    scene.rings(CALLER, number="09012340009")
    scene.pass_s(16)
    assert stage.agent("alice").state is AgentState.WRAP_UP
    assert stage.do(stage.floor.extend_wrap_up("alice", 300)) is None
    assert stage.do(stage.floor.end_wrap_up("alice")) is None
    assert stage.agent("alice").state is AgentState.AVAILABLE


def test_what_a_wrap_up_was_made_longer_by_is_not_left_for_the_next(open_scene: Callable[..., Scene]) -> None:
    """Each is as long as the queue says."""
    scene = open_scene({"alice": replace(AGENT, talks_s=10)}, cards=replace(CARDS, wrap_up_s=20))
    stage = FloorStage(scene)
    scene.rings(CALLER)
    scene.pass_s(18)
    stage.do(stage.floor.extend_wrap_up("alice", 300))
    stage.do(stage.floor.end_wrap_up("alice"))
    scene.rings(CALLER, number="09012340009")
    scene.pass_s(40)
    assert stage.agent("alice").state is AgentState.AVAILABLE


def test_a_talk_is_ended_for_the_agent(open_scene: Callable[..., Scene]) -> None:
    """Their leg goes; the caller is hung up by the journey, and the wrap-up begins."""
    scene = open_scene({"alice": AGENT})
    stage = FloorStage(scene)
    assert stage.do(stage.floor.hang_up("alice")) is Refused.NOT_NOW
    caller = scene.rings(CALLER)
    scene.pass_s(8)
    assert stage.do(stage.floor.hang_up("alice")) is None
    scene.pass_s(2)
    assert (caller.gone, stage.agent("alice").state) == (True, AgentState.WRAP_UP)
    assert scene.endings() == {caller.id: "served"}


def test_a_phone_that_rings_is_not_hung_up(open_scene: Callable[..., Scene]) -> None:
    """There is no talk to end, and nobody missed a call."""
    scene = open_scene({"alice": replace(AGENT, answers_after_s=5)})
    stage = FloorStage(scene)
    caller = scene.rings(CALLER)
    scene.pass_s(4)
    assert stage.do(stage.floor.hang_up("alice")) is Refused.NOT_NOW
    scene.pass_s(5)
    assert caller.talked_with == ["agent-1"]


def test_an_agent_who_hears_whose_callback_it_is_can_be_hung_up(open_scene: Callable[..., Scene]) -> None:
    """Nobody was dialled; the promise waits for another try."""
    scene = open_scene({"alice": replace(AGENT, presses={})}, signed_in=False)
    scene.promised(NUMBER, person=Person(presses=YES))
    stage = FloorStage(scene)
    scene.registers("alice")
    scene.pass_s(4)
    assert stage.do(stage.floor.hang_up("alice")) is None
    scene.pass_s(2)
    assert scene.pbx.of(Role.CUSTOMER) == []
    assert scene.promises()[0].attempts_used == 0


@pytest.mark.parametrize("allowed", [True, False])
def test_a_talk_is_listened_to_only_where_the_settings_allow_it(
    open_scene: Callable[..., Scene], allowed: bool
) -> None:
    """And only a talk: not a phone that rings, nor a wrap-up; by a phone that there is."""
    scene = open_scene({"alice": replace(AGENT, answers_after_s=5, talks_s=20)})
    stage = FloorStage(scene, allow_listening=allowed)
    listen = stage.floor.listen
    scene.rings(CALLER)
    scene.pass_s(4)
    assert stage.do(listen("alice", SUPERVISORS_PHONE)) is Refused.NOT_NOW
    scene.pass_s(6)
    assert stage.do(listen("alice", "no-such-phone")) is (Refused.UNKNOWN if allowed else Refused.NOT_NOW)
    assert stage.do(listen("alice", SUPERVISORS_PHONE)) is (None if allowed else Refused.NOT_NOW)
    (oversight,) = stage.oversights.values()
    assert oversight.listened == ([("phone-alice", SUPERVISORS_PHONE)] if allowed else [])
    scene.pass_s(20)
    assert stage.do(listen("alice", SUPERVISORS_PHONE)) is Refused.NOT_NOW


def test_an_agent_whom_nobody_knows_can_be_nothing(open_scene: Callable[..., Scene]) -> None:
    """Nor is there a pause for a reason that the reports do not know."""
    scene = open_scene({"alice": AGENT})
    stage = FloorStage(scene)
    floor = stage.floor
    commands = [
        floor.sign_in("bob"),
        floor.sign_out("bob"),
        floor.pause("bob", "lunch"),
        floor.unpause("bob"),
        floor.end_wrap_up("bob"),
        floor.extend_wrap_up("bob", 10),
        floor.hang_up("bob"),
        floor.preview("bob", "dial"),
        floor.listen("bob", SUPERVISORS_PHONE),
        floor.pause("alice", "siesta"),
    ]
    assert [stage.do(command) for command in commands] == [Refused.UNKNOWN] * len(commands)


def test_who_missed_a_call_rests_and_is_shown_to(open_scene: Callable[..., Scene]) -> None:
    """With the end of the rest; a supervisor ends it."""
    scene = open_scene({"alice": Person(answers_after_s=None)})
    stage = FloorStage(scene)
    scene.rings(CALLER)
    scene.pass_s(25)
    shown = stage.agent("alice")
    assert (shown.state, shown.reason) == (AgentState.PAUSED, "missed")
    assert shown.rest_ends_at == shown.since + timedelta(seconds=CARDS.missed_pause_s)
    assert stage.do(stage.floor.unpause("alice")) is None
    assert stage.agent("alice").state is not AgentState.PAUSED


def test_whom_agents_serve_and_how_often_they_have_talked_is_shown(open_scene: Callable[..., Scene]) -> None:
    """Callers and customers alike, counted from midnight, over restarts."""
    scene = open_scene({"alice": replace(AGENT, talks_s=10)})
    stage = FloorStage(scene)
    caller = scene.rings(CALLER)
    scene.pass_s(8)
    shown = stage.agent("alice")
    assert (shown.waiter_id, shown.queue, shown.talks_today) == (caller.id, "cards", 1)
    scene.pass_s(40)
    scene.promised(NUMBER, person=Person(presses=YES))
    scene.pass_s(60)
    scene.restart()
    shown = FloorStage(scene).agent("alice")
    assert (shown.waiter_id, shown.talks_today) == ("", 2)
    scene.pass_s(24 * 3600)
    assert FloorStage(scene).agent("alice").talks_today == 0


def test_a_phone_that_is_away_is_a_problem_where_agents_sign_in_by_hand(open_scene: Callable[..., Scene]) -> None:
    """Elsewhere a phone that is away is an agent who has gone home."""
    scene = open_scene({"alice": AGENT, "bob": AGENT})
    scene.registers("bob", registered=False)
    assert FloorStage(scene).problems() == []
    stage = FloorStage(scene, signs_in_by_hand=True)
    (problem,) = stage.problems()
    assert (problem.kind, problem.what, problem.severity) == ("phone_away", "bob", Severity.WARNING)
    stage.do(stage.floor.sign_out("bob"))
    assert stage.problems() == []
