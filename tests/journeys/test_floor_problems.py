"""What on the floor needs a person: each by its own rule, with when it began."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import update

from controller.domain.line import WaiterKind
from controller.ports.floor import EntryState, FloorNow, LineEntry, PbxEntry, QueueEntry, Severity, TrunkEntry
from controller.ports.floor_book import FloorLook
from controller.store.tables import promises
from controller.workers.floor_problems import MOST_LATE, Problems
from tests.journeys.floor_stage import FloorStage
from tests.journeys.scripted_channel import Person
from tests.journeys.stories import AGENT

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.journeys.scene import Scene

STAYS = Person(patience_s=900)
NUMBER = "+819012345678"
NOON = datetime(2026, 4, 1, 3, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def set_due_by(scene: Scene, promise_id: str, at: datetime) -> None:
    """Have a promise be due by a time."""

    async def change() -> None:
        async with scene.theatre.store.database.engine.begin() as connection:
            await connection.execute(update(promises).where(promises.c.id == promise_id).values(due_by=at))

    scene.theatre.outside(change())


def test_a_promise_that_is_past_what_was_promised_is_a_problem(open_scene: Callable[..., Scene]) -> None:
    """Until it is kept."""
    scene = open_scene({})
    promise = scene.promised(NUMBER)
    due_by = scene.theatre.clock.now() + timedelta(minutes=5)
    set_due_by(scene, promise.id, due_by)
    stage = FloorStage(scene)
    assert [problem.kind for problem in stage.problems()] == ["no_agents"]
    assert stage.entry(promise.id).due_by == due_by
    scene.pass_s(301)
    late = stage.problems()[-1]
    assert (late.kind, late.what, late.since) == ("promise_late", promise.id, due_by)
    scene.cancel(promise)
    scene.pass_s(1)
    assert stage.problems() == []


def test_an_open_queue_with_somebody_in_line_and_nobody_on_duty_is_a_problem(open_scene: Callable[..., Scene]) -> None:
    """The graver where somebody holds; told with when it was first seen."""
    scene = open_scene({"alice": AGENT}, signed_in=False)
    stage = FloorStage(scene)
    assert stage.problems() == []
    scene.rings(STAYS)
    scene.pass_s(5)
    first = stage.problems()
    scene.pass_s(5)
    assert stage.problems() == first
    assert [(each.kind, each.what, each.severity) for each in first] == [("no_agents", "cards", Severity.CRITICAL)]
    scene.registers("alice")
    scene.pass_s(5)
    assert stage.problems() == []


def test_trunks_pbxs_and_texts_that_need_a_person_are_told_the_grave_ones_first() -> None:
    """Each by its own rule; what another controller has, that one tells."""
    floor = FloorNow(
        NOON,
        queues=(QueueEntry("cards", is_open=False, promises_due=3), QueueEntry("loans", is_open=True, promises_due=1)),
        trunks=(
            TrunkEntry("a", "pbx-1", healthy=False, calls=0, circuits=10),
            TrunkEntry("b", "pbx-1", healthy=True, calls=0, circuits=10),
            TrunkEntry("c", "pbx-2", healthy=True, calls=0, circuits=10, rests_s=3),
        ),
        pbxs=(
            PbxEntry("pbx-1", "in_control", "we"),
            PbxEntry("pbx-2", "opening", "we"),
            PbxEntry("pbx-3", "standing_by", "they"),
            PbxEntry("pbx-4", "standing_by"),
        ),
    )
    look = FloorLook(
        replies=2,
        first_reply_at=NOON - timedelta(hours=2),
        codes_stopped_at=NOON - timedelta(minutes=59),
        hooks_failed_at={"crm": NOON - timedelta(hours=1)},
    )
    found = Problems().found(floor, look)
    assert [(each.kind, each.what, each.severity.value) for each in found] == [
        ("pbx_away", "pbx-2", "critical"),
        ("pbx_away", "pbx-4", "critical"),
        ("trunk_down", "c", "critical"),
        ("trunk_down", "a", "warning"),
        ("no_agents", "loans", "warning"),
        ("reply_needs_person", "", "warning"),
        ("sms_stopped", "", "warning"),
        ("hook_failing", "crm", "warning"),
    ]
    assert [each.since for each in found[-3:]] == [
        look.first_reply_at,
        look.codes_stopped_at,
        look.hooks_failed_at["crm"],
    ]


def test_a_problem_is_as_old_as_when_it_was_first_seen() -> None:
    """One that went away and came back begins anew."""
    seen = Problems()
    down = FloorNow(NOON, trunks=(TrunkEntry("a", "pbx-1", healthy=False, calls=0, circuits=10),))
    begun = [
        [problem.since for problem in seen.found(replace(floor, at=NOON + timedelta(minutes=minute)), FloorLook())]
        for minute, floor in enumerate((down, down, FloorNow(NOON), down))
    ]
    assert begun == [[NOON], [NOON], [], [NOON + timedelta(minutes=3)]]


def test_of_many_late_promises_those_that_are_late_the_longest_are_told() -> None:
    """A page of problems is read by nobody."""
    entries = [
        LineEntry(
            f"p{nth:02}", WaiterKind.PROMISE, "cards", "pbx-1", NOON, EntryState.WAITING, due_by=NOON - nth * SECOND
        )
        for nth in range(1, 31)
    ]
    found = Problems().found(FloorNow(NOON, line=tuple(entries)), FloorLook())
    assert [each.what for each in found] == [f"p{nth:02}" for nth in range(30, 30 - MOST_LATE, -1)]
