"""Recording: no fault of it hurts a talk, a restart leaves it running, and a pause is a pause."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from controller.domain.recording import RecordingState
from controller.ports.floor import Refused
from tests.journeys.floor_stage import FloorStage
from tests.journeys.recording_scenes import (
    ANNOUNCED,
    NUMBER,
    PATIENT,
    TALKS,
    logged,
    rows,
)
from tests.journeys.scripted_call import Moment
from tests.journeys.scripted_channel import Person
from tests.journeys.stories import AGENT, YES

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.journeys.scene import Scene
    from tests.journeys.scripted_call import Step


# -- what goes wrong


def test_a_pbx_that_records_nothing_hurts_no_talk(open_scene: Callable[..., Scene]) -> None:
    """It goes on as long as they want; no row is left of what was never kept."""
    scene = open_scene({"alice": TALKS}, cards=ANNOUNCED)
    scene.pbx.shelf.refuses = True
    caller = scene.rings(PATIENT)
    scene.pass_s(15)
    assert caller.peer is not None
    assert rows(scene) == []
    scene.pass_s(45)
    assert scene.endings() == {caller.id: "served"}
    assert FloorStage(scene).agent("alice").recording is None


def test_a_database_that_is_away_hurts_no_talk_and_nothing_is_recorded(open_scene: Callable[..., Scene]) -> None:
    """Without a row, retention would know nothing of the sound."""
    scene = open_scene({"alice": TALKS}, cards=ANNOUNCED)
    caller = scene.rings(PATIENT)
    scene.pass_s(1.5)
    with scene.theatre.database_locked(), logged() as logs:
        scene.pass_s(15)
        assert caller.peer is not None
    (line,) = [each for each in logs if each["event"] == "a talk is not recorded"]
    assert (line["log_level"], line["number"]) == ("error", "+81901234****")
    scene.pass_s(60)
    assert (rows(scene), scene.pbx.shelf.tapes) == ([], {})
    assert scene.endings() == {caller.id: "served"}


def test_a_database_that_is_away_at_the_end_hears_of_it_later(open_scene: Callable[..., Scene]) -> None:
    """Nobody waits for it: the agent is in wrap-up meanwhile."""
    scene = open_scene({"alice": TALKS}, cards=ANNOUNCED)
    scene.rings(PATIENT)
    scene.pass_s(15)
    (row,) = rows(scene)
    with scene.theatre.database_locked():
        scene.pass_s(30)
        assert FloorStage(scene).floor.now().agents[0].recording is None
    scene.pass_s(15)
    (over,) = rows(scene)
    assert over.ended_at is not None
    assert 19 < (over.ended_at - row.began_at).total_seconds() < 21


def test_a_talk_that_is_over_before_it_is_recorded_leaves_nothing(open_scene: Callable[..., Scene]) -> None:
    """An agent who hangs up at once."""
    scene = open_scene({"alice": replace(AGENT, talks_s=0.05)}, cards=ANNOUNCED)
    scene.rings(PATIENT)
    scene.pass_s(30)
    assert [row for row in rows(scene) if row.id not in scene.pbx.shelf.tapes] == []
    assert all(row.ended_at is not None for row in rows(scene))


# -- a restart in a talk


@pytest.mark.parametrize("is_callback", [False, True])
def test_a_recording_goes_on_over_a_restart_and_is_known_again(
    open_scene: Callable[..., Scene], is_callback: bool
) -> None:
    """Also that it is paused; and the row gets its end."""
    scene = open_scene({"alice": replace(AGENT, talks_s=60)}, cards=ANNOUNCED)
    if is_callback:
        scene.promised(NUMBER, person=Person(presses=YES, talks_s=None))
    else:
        scene.rings(PATIENT)
    scene.pass_s(25)
    stage = FloorStage(scene)
    assert stage.agent("alice").recording is RecordingState.RUNNING
    assert stage.do(stage.floor.pause_recording("alice")) is None
    scene.restart()
    scene.pass_s(1)
    stage = FloorStage(scene)
    assert stage.agent("alice").recording is RecordingState.PAUSED
    assert stage.do(stage.floor.resume_recording("alice")) is None
    (tape,) = scene.pbx.shelf.tapes.values()
    assert (tape.runs, tape.paused) == (True, False)
    scene.pass_s(80)
    (row,) = rows(scene)
    assert (row.ended_at is None, row.paused_at) == (False, None)
    assert stage.agent("alice").recording is None


def test_a_controller_that_dies_between_row_and_recording_leaves_it_to_the_next(
    open_scene: Callable[..., Scene],
) -> None:
    """Who agreed is recorded from then on."""
    scene = open_scene({"alice": replace(AGENT, talks_s=60)}, cards=ANNOUNCED)
    scene.rings(PATIENT)

    def plan(step: Step, moment: Moment) -> None:
        if (step.verb, moment) == ("record", Moment.BEFORE) and not scene.killed and not scene.pbx.epoch:
            scene.kill()

    scene.pbx.plans.append(plan)
    scene.pass_s(30)
    assert scene.killed
    scene.restart()
    scene.pass_s(5)
    (row,) = rows(scene)
    assert scene.pbx.shelf.tapes[row.id].runs
    assert FloorStage(scene).agent("alice").recording is RecordingState.RUNNING


# -- the pause


def test_a_recording_is_paused_and_goes_on_and_all_see_it(open_scene: Callable[..., Scene]) -> None:
    """At the PBX, in the database, on the screens, which are told."""
    scene = open_scene({"alice": replace(AGENT, talks_s=60)}, cards=ANNOUNCED)
    scene.rings(PATIENT)
    scene.pass_s(15)
    stage = FloorStage(scene)
    changes: list[RecordingState | None] = []
    stage.floor.subscribe(lambda: changes.append(stage.floor.now().agents[0].recording))
    (tape,) = scene.pbx.shelf.tapes.values()
    for command, paused in ((stage.floor.pause_recording, True), (stage.floor.resume_recording, False)):
        for _ in range(2):
            assert stage.do(command("alice")) is None
            (row,) = rows(scene)
            assert (tape.paused, row.paused_at is not None) == (paused, paused)
    assert changes[0] is RecordingState.PAUSED
    assert changes[-1] is RecordingState.RUNNING


def test_what_is_not_recorded_cannot_be_paused(open_scene: Callable[..., Scene]) -> None:
    """Nobody's talk, a talk of a queue that does not record, an agent whom nobody knows."""
    scene = open_scene({"alice": TALKS})
    stage = FloorStage(scene)
    assert stage.do(stage.floor.pause_recording("alice")) is Refused.NOT_NOW
    scene.rings(PATIENT)
    scene.pass_s(10)
    assert stage.do(stage.floor.pause_recording("alice")) is Refused.NOT_NOW
    assert stage.do(stage.floor.resume_recording("alice")) is Refused.NOT_NOW
    assert stage.do(stage.floor.pause_recording("nobody")) is Refused.UNKNOWN


def test_a_pbx_that_is_away_pauses_nothing_and_it_is_said(open_scene: Callable[..., Scene]) -> None:
    """The screen goes on showing that it is recorded."""
    scene = open_scene({"alice": replace(AGENT, talks_s=60)}, cards=ANNOUNCED)
    scene.rings(PATIENT)
    scene.pass_s(15)
    stage = FloorStage(scene)
    scene.pbx.shelf.is_away = True
    assert stage.do(stage.floor.pause_recording("alice")) is Refused.UNAVAILABLE
    assert stage.agent("alice").recording is RecordingState.RUNNING


def test_a_database_that_is_away_keeps_nobody_from_a_pause(open_scene: Callable[..., Scene]) -> None:
    """The number of a card is not kept."""
    scene = open_scene({"alice": replace(AGENT, talks_s=60)}, cards=ANNOUNCED)
    scene.rings(PATIENT)
    scene.pass_s(15)
    stage = FloorStage(scene)
    with scene.theatre.database_locked():
        assert stage.do(stage.floor.pause_recording("alice")) is None
    (tape,) = scene.pbx.shelf.tapes.values()
    assert tape.paused
    assert stage.agent("alice").recording is RecordingState.PAUSED
