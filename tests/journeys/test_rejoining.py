"""Who was in line before a restart comes back to it before anybody is served."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from controller.ports.promises import StoreUnavailableError
from controller.ports.survey import Role
from controller.workers.rejoining import REJOIN_LIMIT_S, Rejoining
from tests.journeys.scripted_call import Moment, Step
from tests.journeys.scripted_channel import Person

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.journeys.scene import Scene
    from tests.journeys.theatre import Theatre

NOON = datetime(2026, 11, 20, 3, tzinfo=UTC)


def test_nobody_is_served_until_the_last_one_is_back() -> None:
    """In whichever order they come."""
    rejoining = Rejoining()
    rejoining.expect(["a", "b"], NOON)
    rejoining.came("b")
    assert rejoining.ends_at(NOON) is not None
    rejoining.came("a")
    assert rejoining.ends_at(NOON) is None


def test_whoever_does_not_come_back_keeps_the_others_a_while_only() -> None:
    """Their database may be slow, or they hung up."""
    rejoining = Rejoining()
    rejoining.expect(["a"], NOON)
    over = NOON + timedelta(seconds=REJOIN_LIMIT_S)
    assert rejoining.ends_at(NOON) == over
    assert rejoining.ends_at(over) is None


def test_nobody_is_waited_for_who_was_not_in_line() -> None:
    """After a start without callers, and for callers whom nobody expected."""
    rejoining = Rejoining()
    rejoining.expect([], NOON)
    rejoining.came("stranger")
    assert rejoining.ends_at(NOON) is None


def test_who_talks_waits_until_the_line_is_whole_and_no_longer(theatre: Theatre) -> None:
    """Not at all where nobody is missing."""
    rejoining, loop = Rejoining(), theatre.loop
    began_s = loop.time()
    loop.run_until_complete(rejoining.over())
    rejoining.expect(["a", "b"], NOON)
    for after_s, call_id in enumerate("ab", start=1):
        loop.call_later(after_s / 2, rejoining.came, call_id)
    assert loop.time() == began_s
    loop.run_until_complete(rejoining.over())
    assert loop.time() - began_s == pytest.approx(1.0)


def test_who_talks_waits_no_longer_than_the_others_are_kept(theatre: Theatre) -> None:
    """Somebody in line may never come back."""
    rejoining = Rejoining()
    rejoining.expect(["a"], NOON)
    began_s = theatre.loop.time()
    theatre.loop.run_until_complete(rejoining.over())
    assert theatre.loop.time() - began_s == pytest.approx(REJOIN_LIMIT_S)


def test_after_a_restart_who_came_first_has_the_first_turn_and_who_talks_the_last(
    open_scene: Callable[..., Scene],
) -> None:
    """Each asks the database something, when what concerns all of them is settled; nobody is served meanwhile."""
    scene = open_scene({"alice": Person(talks_s=None)})
    for nth in range(3):
        scene.rings(Person(talks_s=60), number=f"0901234000{nth}")
        scene.pass_s(10)
    scene.pbx.channels.sort(key=lambda channel: (channel.role is Role.CALLER, channel.nth == 2))
    steps: list[tuple[str, int, str]] = []
    scene.pbx.plans.append(lambda step, _moment: steps.append((step.who, step.nth, step.verb)))
    scene.restart()
    scene.pass_s(10)
    settled = next(at for at, (_, _, verb) in enumerate(steps) if verb == "waiting")
    turns = [steps.index((Role.CALLER, nth, verb)) for nth, verb in ((2, "answer"), (3, "answer"), (1, "connect"))]
    rejoined = steps.index((Role.CALLER, 3, "remember"))
    assert [settled, *turns] == sorted([settled, *turns])
    assert rejoined < turns[-1]


def test_nobody_is_served_while_somebody_who_came_earlier_is_not_back(open_scene: Callable[..., Scene]) -> None:
    """The database does not answer the first of them at once; there is an agent for one."""
    scene = open_scene({"alice": Person(talks_s=None)}, signed_in=False)
    callers = []
    for nth in range(2):
        callers.append(scene.rings(Person(talks_s=20), number=f"0901234000{nth}"))
        scene.pass_s(10)
    left = [StoreUnavailableError("the database does not answer")]

    def away(step: Step, moment: Moment) -> None:
        if left and scene.pbx.epoch and (step.verb, moment) == ("open_for", Moment.BEFORE):
            raise left.pop()

    scene.pbx.plans.append(away)
    scene.restart()
    scene.pass_s(120)
    assert left == []
    assert [agent.talked_with for agent in scene.pbx.of(Role.AGENT)] == [[caller.id] for caller in callers]


def test_who_was_in_line_stands_there_again_without_waiting_for_the_record_of_calls(
    open_scene: Callable[..., Scene],
) -> None:
    """That they came was written down when they did: it is said again only when they have gone."""
    scene = open_scene({"alice": Person(talks_s=None)}, signed_in=False)
    caller = scene.rings(Person(talks_s=20))
    scene.pass_s(10)
    verbs: list[str] = []
    scene.pbx.plans.append(lambda step, moment: verbs.append(step.verb) if moment is Moment.BEFORE else None)
    scene.restart()
    scene.pass_s(60)
    assert scene.endings() == {caller.id: "served"}
    assert verbs.index("connect") < verbs.index("arrived") < verbs.index("ended")


def test_whose_call_could_not_be_written_down_is_in_the_record_at_the_end(open_scene: Callable[..., Scene]) -> None:
    """The database was away when they came, and the controller died after that."""
    scene = open_scene({"alice": Person(talks_s=None)}, signed_in=False)
    caller = scene.rings(Person(talks_s=20))
    scene.pass_s(10)
    scene.theatre.sql("DELETE FROM calls")
    scene.restart()
    scene.pass_s(60)
    assert scene.endings() == {caller.id: "served"}


def test_who_had_only_just_come_is_written_down_first(open_scene: Callable[..., Scene]) -> None:
    """The controller died before it could, and they have no stage yet."""
    scene = open_scene({"alice": Person(talks_s=None)}, signed_in=False)

    def dies(step: Step, moment: Moment) -> None:
        if not scene.killed and (step.verb, moment) == ("arrived", Moment.BEFORE):
            scene.kill()

    scene.pbx.plans.append(dies)
    caller = scene.rings(Person(talks_s=20))
    scene.pass_s(1)
    scene.pbx.plans.clear()
    assert scene.endings() == {}
    scene.restart()
    scene.pass_s(1)
    assert scene.endings() == {caller.id: None}
