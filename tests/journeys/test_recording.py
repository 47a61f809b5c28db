"""Recording: who is told or asked, when a talk is recorded, and that no fault of it hurts a talk."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from controller.domain.agents import AgentState
from controller.domain.line import WaiterKind
from controller.domain.recording import Consent, RecordingMode
from controller.journeys import prompts
from controller.journeys.house import Callbacks, DialMode
from controller.ports.survey import Role
from tests.journeys.floor_stage import FloorStage
from tests.journeys.recording_scenes import (
    ANNOUNCED,
    ASKED,
    NUMBER,
    PATIENT,
    TALKS,
    rows,
    says,
    told,
)
from tests.journeys.scene import LOANS
from tests.journeys.scripted_call import Moment
from tests.journeys.scripted_channel import Person
from tests.journeys.stories import YES

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.journeys.scene import Scene
    from tests.journeys.scripted_call import Step

# -- who is told, and what is recorded


def test_a_queue_that_does_not_record_says_nothing_and_records_nothing(open_scene: Callable[..., Scene]) -> None:
    """Nor does anybody ask PBX or database for it."""
    scene = open_scene({"alice": TALKS})
    scene.rings(PATIENT)
    scene.pass_s(60)
    assert (told(scene), rows(scene), scene.pbx.shelf.tapes) == ([], [], {})
    assert not {"record", "begin"} & {step.verb for step in scene.pbx.steps}


def test_who_hears_the_notice_to_its_end_is_recorded_from_then_on(open_scene: Callable[..., Scene]) -> None:
    """Once, before an agent is rung; the row says whose talk it was, what was said, from when to when."""
    scene = open_scene({"alice": TALKS}, cards=ANNOUNCED)
    caller = scene.rings(PATIENT)
    scene.pass_s(60)
    verbs = [(step.who, step.verb) for step in scene.pbx.steps]
    assert told(scene) == [prompts.RECORDING_NOTICE]
    assert verbs.index(("caller", "play"), verbs.index(("caller", "play")) + 1) < verbs.index(("agent", "dial"))
    assert verbs.index(("database", "begin")) < verbs.index(("caller", "record"))
    (row,) = rows(scene)
    assert (row.waiter_id, row.kind, row.queue, row.agent) == (caller.id, WaiterKind.LIVE, "cards", "alice")
    assert (row.number, row.consent, row.pbx, row.attempt_id) == (NUMBER, Consent.TOLD, scene.pbx_name, "")
    assert row.ended_at is not None
    assert 19 < (row.ended_at - row.began_at).total_seconds() < 21
    assert list(scene.pbx.shelf.tapes) == [row.id]


@pytest.mark.parametrize(("key", "consent"), [("1", Consent.AGREED), ("2", None), ("", None)])
def test_where_it_is_asked_only_who_presses_1_is_recorded(
    open_scene: Callable[..., Scene], key: str, consent: Consent | None
) -> None:
    """Who refuses, or says nothing, is served all the same."""
    scene = open_scene({"alice": TALKS}, cards=ASKED)
    caller = scene.rings(says(key))
    scene.pass_s(60)
    assert told(scene) == [prompts.RECORDING_ASK]
    assert [row.consent for row in rows(scene)] == ([consent] if consent else [])
    assert len(scene.pbx.shelf.tapes) == len(rows(scene))
    assert scene.endings() == {caller.id: "served"}


def test_who_presses_another_key_is_asked_once_more(open_scene: Callable[..., Scene]) -> None:
    """And has refused with the second."""
    scene = open_scene({"alice": TALKS}, cards=ASKED)
    scene.rings(Person(presses={prompts.RECORDING_ASK: ["5", "7"]}, talks_s=None))
    scene.pass_s(60)
    assert told(scene) == [prompts.RECORDING_ASK] * 2
    assert rows(scene) == []


def test_a_key_that_was_pressed_before_the_question_agrees_to_nothing(open_scene: Callable[..., Scene]) -> None:
    """An impatient caller keys 1 over the greeting, and is silent when asked."""
    scene = open_scene({"alice": TALKS}, cards=ASKED)
    scene.rings(Person(presses={prompts.WELCOME: ["111"]}, talks_s=None))
    scene.pass_s(60)
    assert told(scene) == [prompts.RECORDING_ASK]
    assert rows(scene) == []


def test_the_notice_costs_nobody_their_place(open_scene: Callable[..., Scene]) -> None:
    """Who came first is served first, though the second was the first to have heard it."""
    scene = open_scene({"alice": TALKS}, cards=ASKED, signed_in=False)
    callers = []
    for nth, person in enumerate((says(""), says("1"))):
        callers.append(scene.rings(person, number=f"0901234000{nth}"))
        scene.pass_s(5)
    assert [caller.marks.get("consent") for caller in callers] == [None, Consent.AGREED]
    scene.pass_s(20)
    scene.registers("alice")
    scene.pass_s(90)
    assert [channel.talked_with for channel in scene.pbx.of(Role.AGENT)] == [[caller.id] for caller in callers]


def test_no_agent_is_kept_for_somebody_who_is_being_asked(open_scene: Callable[..., Scene]) -> None:
    """Whoever comes meanwhile for another queue talks with them; who was asked is next."""
    scene = open_scene({"alice": TALKS}, cards=ASKED)
    asked = scene.rings(says(""))
    scene.pass_s(4)
    assert (told(scene), scene.states()) == ([prompts.RECORDING_ASK], {"alice": AgentState.AVAILABLE})
    quick = scene.rings(PATIENT, dialled="0312345679", number="09012340002")
    scene.pass_s(90)
    assert [channel.talked_with for channel in scene.pbx.of(Role.AGENT)] == [[quick.id], [asked.id]]


def test_a_caller_who_hangs_up_over_the_notice_has_agreed_to_nothing(open_scene: Callable[..., Scene]) -> None:
    """It is in the record as somebody who left."""
    scene = open_scene({"alice": TALKS}, cards=ANNOUNCED)
    caller = scene.rings(Person(patience_s=1.5))
    scene.pass_s(30)
    assert caller.heard == [prompts.WELCOME, prompts.RECORDING_NOTICE]
    assert ("consent" in caller.marks, rows(scene)) == (False, [])
    assert scene.endings() == {caller.id: "abandoned"}


def killed_during(scene: Scene, verb: str, nth: int) -> None:
    """Kill the controller in the midst of a caller's verb, once."""
    seen: list[Step] = []

    def plan(step: Step, moment: Moment) -> None:
        if (step.who, step.verb, moment) == ("caller", verb, Moment.DURING) and step not in seen:
            seen.append(step)
            if len(seen) == nth:
                scene.kill()

    scene.pbx.plans.append(plan)


def test_a_restart_in_the_midst_of_the_notice_has_it_said_again(open_scene: Callable[..., Scene]) -> None:
    """To its end; and after one, it is not."""
    scene = open_scene({"alice": TALKS}, cards=ANNOUNCED)
    caller = scene.rings(PATIENT)
    killed_during(scene, "play", 2)
    scene.pass_s(30)
    assert scene.killed
    scene.restart()
    scene.pass_s(2)
    assert told(scene) == [prompts.RECORDING_NOTICE] * 2
    scene.restart()
    scene.pass_s(60)
    assert told(scene) == [prompts.RECORDING_NOTICE] * 2
    assert [row.waiter_id for row in rows(scene)] == [caller.id]


def test_who_is_moved_to_a_queue_that_asks_is_asked_there(open_scene: Callable[..., Scene]) -> None:
    """To be told is not to agree; and who refused is told of nothing more, nor recorded, anywhere."""
    scene = open_scene({"alice": TALKS}, cards=ANNOUNCED, signed_in=False)
    scene.queues[LOANS.name] = replace(scene.queues[LOANS.name], recording=RecordingMode.ASKED)
    stage = FloorStage(scene)
    caller = scene.rings(says("2"))
    scene.pass_s(10)
    assert stage.move(caller.id, "loans") is None
    scene.pass_s(20)
    assert told(scene) == [prompts.RECORDING_NOTICE, prompts.RECORDING_ASK]
    assert stage.move(caller.id, "cards") is None
    scene.pass_s(10)
    scene.registers("alice")
    scene.pass_s(60)
    assert told(scene) == [prompts.RECORDING_NOTICE, prompts.RECORDING_ASK]
    assert (scene.endings(), rows(scene)) == ({caller.id: "served"}, [])


# -- callbacks


@pytest.mark.parametrize("mode", [DialMode.AGENT_FIRST, DialMode.CUSTOMER_FIRST])
def test_a_customer_who_is_called_back_hears_it_after_they_have_said_yes(
    open_scene: Callable[..., Scene], mode: DialMode
) -> None:
    """Before they are joined; the row is the promise's."""
    scene = open_scene({"alice": TALKS}, cards=replace(ANNOUNCED, callbacks=Callbacks(mode=mode)))
    promise = scene.promised(NUMBER, person=Person(presses=YES, talks_s=None, patience_s=300))
    scene.pass_s(120)
    (customer,) = scene.pbx.of(Role.CUSTOMER)
    assert customer.heard[1:3] == [prompts.CALLBACK_CONFIRM, prompts.RECORDING_NOTICE]
    (row,) = rows(scene)
    assert (row.waiter_id, row.kind, row.number) == (promise.id, WaiterKind.PROMISE, NUMBER)
    assert (row.attempt_id, row.agent) != ("", "")
    assert scene.attempts() == [("alice", "talked")]


def test_a_customer_who_does_not_say_yes_hears_nothing_of_it(open_scene: Callable[..., Scene]) -> None:
    """There is no talk to be recorded."""
    scene = open_scene({"alice": TALKS}, cards=ANNOUNCED)
    scene.promised(NUMBER, person=Person(presses={prompts.CALLBACK_CONFIRM: ["3"]}))
    scene.pass_s(120)
    assert (told(scene), rows(scene)) == ([], [])


def test_a_customer_who_hangs_up_over_the_notice_is_called_again(open_scene: Callable[..., Scene]) -> None:
    """They had said yes."""
    scene = open_scene({"alice": TALKS}, cards=ANNOUNCED)
    scene.promised(NUMBER, person=Person(presses=YES, answers_after_s=1, patience_s=3.1))
    scene.pass_s(60)
    assert (told(scene), rows(scene)) == ([prompts.RECORDING_NOTICE], [])
    assert [outcome for _, outcome in scene.attempts()] == ["abandoned"]
