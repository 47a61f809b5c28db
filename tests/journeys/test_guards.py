"""One call's fault ends that call and no other, and the caller is told."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from controller.domain.outcome import Outcome
from controller.domain.promise import PromiseState
from controller.journeys import prompts
from controller.ports.calls import PbxUnavailableError
from controller.ports.promises import StoreUnavailableError
from controller.ports.survey import Role
from controller.workers.supervisor import Supervisor
from tests.journeys.scripted_call import Moment, Step
from tests.journeys.scripted_channel import Person

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.journeys.scene import Scene

YES = Person(presses={prompts.CALLBACK_CONFIRM: ["1"]}, talks_s=None)


def breaking(who: str, verb: str, error: Exception, *, times: int = 1) -> Callable[[Step, Moment], None]:
    """Return a plan by which the first verbs of this kind fail with `error`."""
    left = [error] * times

    def plan(step: Step, moment: Moment) -> None:
        if left and (step.who, step.verb, moment) == (who, verb, Moment.BEFORE):
            raise left.pop()

    return plan


@pytest.mark.parametrize(
    "error", [ZeroDivisionError("a mistake of ours"), PbxUnavailableError("no such bridge")], ids=repr
)
def test_a_journey_that_fails_apologises_hangs_up_and_is_recorded_and_the_other_call_goes_on(
    open_scene: Callable[..., Scene], error: Exception
) -> None:
    """Also when the PBX would not do what a call needs."""
    scene = open_scene()
    other = scene.rings(Person(), number="09012340002")
    scene.pass_s(10)
    scene.pbx.plans.append(breaking("caller", "hold", error))
    caller = scene.rings(Person())
    scene.pass_s(10)
    assert caller.heard[-1] == prompts.APOLOGY
    assert caller.hung_up_by == "controller"
    assert scene.endings() == {caller.id: "failed", other.id: None}
    assert other.held_in == "cards"
    assert [waiter.id for waiter in scene.keeper.waiters] == [other.id]


def test_a_fault_that_breaks_the_apology_too_still_ends_in_a_hang_up_and_a_record(
    open_scene: Callable[..., Scene],
) -> None:
    """Nobody is left hanging by what broke the journey."""
    scene = open_scene()
    scene.pbx.plans.append(breaking("caller", "play", ZeroDivisionError("a mistake of ours"), times=2))
    caller = scene.rings(Person())
    scene.pass_s(10)
    assert caller.hung_up_by == "controller"
    assert scene.endings() == {caller.id: "failed"}


@pytest.mark.parametrize(
    ("who", "verb"), [("agent", "hold"), ("customer", "dial"), ("customer", "ask"), ("customer", "connect")]
)
def test_a_callback_that_fails_closes_its_attempt_and_the_promise_is_kept_later(
    open_scene: Callable[..., Scene], who: str, verb: str
) -> None:
    """Nobody is stuck: no leg, no agent, no attempt."""
    scene = open_scene({"alice": Person()})
    scene.pbx.plans.append(breaking(who, verb, ZeroDivisionError("a mistake of ours")))
    scene.promised("+819012345678", person=YES)
    scene.pass_s(120)
    assert scene.pbx.live == []
    assert scene.attempts() == [("alice", "unknown")]
    (promise,) = scene.promises()
    assert (promise.state, promise.last_outcome) == (PromiseState.WAITING, Outcome.UNKNOWN)
    scene.pass_s(3600)
    assert scene.promises()[0].state is PromiseState.FULFILLED


def test_a_callback_that_fails_while_the_database_is_away_closes_its_attempt_when_it_is_back(
    open_scene: Callable[..., Scene],
) -> None:
    """Two faults at once; a locked SQLite file still answers questions, so this one is acted."""
    scene = open_scene({"alice": Person()})
    scene.pbx.plans.append(breaking("customer", "ask", ZeroDivisionError("a mistake of ours")))
    away = StoreUnavailableError("the database does not answer")
    scene.pbx.plans.append(breaking("database", "open_attempts", away, times=3))
    scene.promised("+819012345678", person=YES)
    scene.pass_s(30)
    assert [step.verb for step in scene.pbx.steps].count("open_attempts") == 4
    assert scene.attempts() == [("alice", "unknown")]
    assert scene.promises()[0].state is PromiseState.WAITING


def test_an_agent_of_a_failed_callback_is_free_again(open_scene: Callable[..., Scene]) -> None:
    """The next caller is served."""
    scene = open_scene({"alice": Person()})
    scene.pbx.plans.append(breaking("agent", "play", ZeroDivisionError("a mistake of ours")))
    scene.promised("+819012345678", person=YES)
    scene.pass_s(60)
    caller = scene.rings(Person(talks_s=None))
    scene.pass_s(5)
    assert caller.talked_with == [scene.pbx.of(Role.AGENT)[-1].id]


async def test_leaving_stops_every_story_and_takes_no_new_one() -> None:
    """Whatever was going on is cancelled and waited for."""
    supervisor = Supervisor()
    ended: list[str] = []

    async def story(name: str, begun: asyncio.Event) -> None:
        begun.set()
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            ended.append(name)

    begins = [asyncio.Event(), asyncio.Event()]
    supervisor.spawn(story("one", begins[0]))
    supervisor.spawn(story("two", begins[1]))
    before = asyncio.all_tasks()
    await asyncio.gather(*(begun.wait() for begun in begins))
    await supervisor.leave()
    assert sorted(ended) == ["one", "two"]
    supervisor.spawn(story("three", asyncio.Event()))
    assert len(asyncio.all_tasks()) == len(before) - 2
