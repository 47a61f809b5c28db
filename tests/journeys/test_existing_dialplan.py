"""A caller whom the dialplan of another queue hands over: what the dialplan is told, wherever they hang up."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from controller.domain.outcome import Outcome
from controller.journeys import prompts
from controller.journeys.existing_dialplan import KEPT, DialplanResult, promise_for_dialplan
from controller.ports.calls import CallerHungUp, Stage
from tests.journeys.scripted_channel import Person

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.journeys.scene import Scene
    from tests.journeys.scripted_call import Moment, ScriptedCall, Step
    from tests.journeys.scripted_channel import Channel

SHOWN = Person(presses={prompts.USE_THIS_NUMBER: ["1"]})
KEYED = Person(
    presses={
        prompts.USE_THIS_NUMBER: ["2"],
        prompts.ENTER_NUMBER: ["0312340099#"],
        prompts.CONFIRM_NUMBER: ["1"],
    }
)
NONE = Person(presses={prompts.USE_THIS_NUMBER: ["2"], prompts.ENTER_NUMBER: ["#", "#", "#"]})


@dataclass
class Visit:
    """What came of one caller."""

    caller: Channel
    results: list[DialplanResult] = field(default_factory=list)
    """What the dialplan is told; nothing when there is nobody left."""


def visited(scene: Scene, person: Person, *, waited_s: float = 0) -> Visit:
    """Let a dialplan hand over a caller who has waited there, and play the story to its end."""
    arrived: list[ScriptedCall] = []
    scene.pbx.on_new_call = arrived.append
    visit = Visit(scene.rings(person))
    scene.pass_s(waited_s)

    async def story() -> None:
        try:
            visit.results.append(await promise_for_dialplan(arrived[0], scene.queues["cards"], scene.house))
        except CallerHungUp:
            assert visit.caller.gone

    async def play() -> None:
        async with asyncio.timeout(600):
            await story()

    scene.theatre.loop.run_until_complete(play())
    return visit


@pytest.mark.parametrize(
    ("person", "numbers", "result"),
    [
        (SHOWN, ["+819012345678"], DialplanResult.PROMISED),
        (KEYED, ["+81312340099"], DialplanResult.PROMISED),
        (NONE, [], DialplanResult.NONE),
        (Person(), [], DialplanResult.NONE),
    ],
)
def test_the_dialplan_is_told_what_came_of_it_and_the_caller_is_still_there(
    open_scene: Callable[..., Scene], person: Person, numbers: Sequence[str], result: DialplanResult
) -> None:
    """Whether they are hung up or go back to their queue is the dialplan's to say."""
    scene = open_scene()
    visit = visited(scene, person)
    assert visit.results == [result]
    assert [promise.number for promise in scene.promises()] == numbers
    assert not visit.caller.gone
    assert visit.caller.marks["queue"] == "cards"


def test_a_second_request_for_a_number_is_told_apart_from_the_first(open_scene: Callable[..., Scene]) -> None:
    """The dialplan may want to say something else."""
    scene = open_scene()
    assert visited(scene, SHOWN).results == [DialplanResult.PROMISED]
    assert visited(scene, SHOWN).results == [DialplanResult.EXISTS]
    assert len(scene.promises()) == 1


def test_the_place_counts_from_the_arrival_in_the_other_queue(open_scene: Callable[..., Scene]) -> None:
    """Five minutes before they pressed the key: whoever came to us since then stands behind."""
    scene = open_scene()
    visit = visited(scene, SHOWN, waited_s=300)
    assert visit.results == [DialplanResult.PROMISED]
    (promise,) = scene.promises()
    assert promise.since == visit.caller.facts.arrived_at
    assert scene.theatre.clock.now() - promise.since > timedelta(seconds=300)


def test_the_stage_tells_of_the_promise_before_the_caller_hears_of_it(open_scene: Callable[..., Scene]) -> None:
    """A controller that dies while it says so leaves the stage on the channel, for the dialplan to see."""
    scene = open_scene()
    stages: list[str | None] = []

    def look(_step: Step, _moment: Moment) -> None:
        (channel, *_) = scene.pbx.channels
        if prompts.PROMISE_MADE in channel.heard:
            stages.append(channel.marks.get("stage"))

    scene.pbx.plans.append(look)
    visited(scene, SHOWN)
    assert stages
    assert set(stages) == {Stage.BOOKED}


def test_a_number_that_cannot_be_kept_is_a_failure_and_no_promise(open_scene: Callable[..., Scene]) -> None:
    """The database is another's for now."""
    scene = open_scene()
    with scene.theatre.database_locked():
        visit = visited(scene, SHOWN)
    assert visit.results == [DialplanResult.FAILED]
    assert scene.promises() == []
    assert not {prompts.PROMISE_MADE, prompts.PROMISE_EXISTS} & set(visit.caller.heard)


@pytest.mark.parametrize("person", [SHOWN, KEYED, NONE], ids=["shown", "keyed", "none"])
def test_wherever_the_caller_hangs_up_there_is_a_promise_exactly_when_the_dialplan_is_told_so(
    open_scene: Callable[..., Scene], person: Person
) -> None:
    """Before, during and after each verb and each transaction of the story."""
    scene = open_scene()
    moments: list[tuple[Step, Moment]] = []
    scene.pbx.plans.append(lambda step, moment: moments.append((step, moment)))
    visited(scene, person)
    assert len(moments) > 15
    wrong = []
    for at in moments:
        scene = open_scene()
        scene.pbx.plans.append(hanging_up(scene, at))
        visit = visited(scene, person)
        told = bool(KEPT & set(visit.results))
        if told != bool(scene.promises()) or not visit.caller.gone:
            wrong.append((at, visit.results, scene.promises()))
        scene.close()
    assert wrong == []


def hanging_up(scene: Scene, at: tuple[Step, Moment]) -> Callable[[Step, Moment], None]:
    """Return the plan that the caller hangs up at one moment of one step."""

    def plan(step: Step, moment: Moment) -> None:
        if (step, moment) == at:
            scene.pbx.channels[0].hang_up(Outcome.REJECTED)

    return plan
