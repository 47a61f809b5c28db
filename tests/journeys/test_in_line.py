"""In line: what is said beside the music, the limits of a queue, who rings back, and who hangs up."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from controller.domain.menu import CallOut, JoinQueue, LeaveNumber, SayGoodbye
from controller.domain.queue_events import (
    LeftAfterMaxWait,
    LeftEmptyQueue,
)
from controller.journeys import prompts, spoken
from controller.journeys.house import Announcements, Limits, Offer
from tests.journeys.scene import CARDS
from tests.journeys.scripted_channel import Person

if TYPE_CHECKING:
    from collections.abc import Callable

    from controller.journeys.house import Queue
    from tests.journeys.scene import Scene

CALLER = Person(talks_s=None)
AGENT = Person(talks_s=20)
DEAF = Person(answers_after_s=None)
FULL = "message-moved"


def cards(**changes: object) -> Queue:
    """Return the queue with these rules."""
    return replace(CARDS, **changes)  # type: ignore[arg-type]  # handed on as they came


def number(nth: int) -> str:
    """Return somebody's number."""
    return f"090123400{nth:02}"


# -- announcements


def test_the_place_is_told_in_whole_sentences_and_moves_up(open_scene: Callable[..., Scene]) -> None:
    """Told at once, and at each interval as it is then."""
    scene = open_scene(cards=cards(announcements=Announcements(place=True, offer=Offer.NEVER)))
    first = scene.rings(Person(patience_s=20), number=number(1))
    scene.pass_s(1)
    second = scene.rings(CALLER, number=number(2))
    scene.pass_s(60)
    assert first.heard[1:] == spoken.place(1)
    assert second.heard[1:] == spoken.place(2) + spoken.place(1)


def test_the_wait_is_told_as_a_range_and_what_was_told_is_recorded(open_scene: Callable[..., Scene]) -> None:
    """From what the line knows of agents and their calls; the record has it beside the true wait."""
    rules = cards(announcements=Announcements(wait=True, offer=Offer.NEVER))
    scene = open_scene({"alice": Person(talks_s=300)}, cards=rules)
    scene.rings(CALLER, number=number(1))
    scene.pass_s(5)
    waiting = scene.rings(CALLER, number=number(2))
    scene.pass_s(20)
    assert prompts.WAIT_BEFORE in waiting.heard or any(word.startswith("wait-") for word in waiting.heard)
    ((low_s, high_s),) = scene.theatre.sql(
        f"SELECT quoted_low_s, quoted_high_s FROM calls WHERE id = '{waiting.id}'"  # noqa: S608 - our own id
    )
    assert 0 <= low_s < high_s
    assert waiting.heard[1:] == spoken.wait(low_s, high_s)


def test_with_nobody_on_duty_no_wait_is_made_up(open_scene: Callable[..., Scene]) -> None:
    """Said to be unknown."""
    rules = cards(announcements=Announcements(wait=True, offer=Offer.NEVER))
    scene = open_scene({"alice": AGENT}, signed_in=False, cards=rules)
    waiting = scene.rings(CALLER)
    scene.pass_s(5)
    assert waiting.heard == [prompts.WELCOME, prompts.WAIT_UNKNOWN]


def test_the_key_cuts_an_announcement_short(open_scene: Callable[..., Scene]) -> None:
    """Nobody has to hear their place out."""
    rules = cards(announcements=Announcements(place=True))
    scene = open_scene(cards=rules)
    before, _, after = spoken.place(2)
    scene.rings(CALLER, number=number(1))
    scene.pass_s(1)
    caller = scene.rings(Person(presses={before: ["1"], prompts.USE_THIS_NUMBER: ["1"]}), number=number(2))
    scene.pass_s(60)
    assert after not in caller.heard
    assert [promise.number for promise in scene.promises()] == ["+819012340002"]


@pytest.mark.parametrize(("talk_s", "is_offered"), [(5.0, False), (600.0, True)])
def test_the_offer_by_wait_is_made_when_the_wait_is_long(
    open_scene: Callable[..., Scene], talk_s: float, *, is_offered: bool
) -> None:
    """By the far end of the expected wait, from the talks of the past."""
    rules = cards(announcements=Announcements(offer=Offer.BY_WAIT, offer_wait_s=120), wrap_up_s=0)
    scene = open_scene({"alice": Person(talks_s=600)}, cards=rules)
    scene.keeper.outlook.note_handled("cards", *[talk_s] * 50)
    scene.rings(CALLER, number=number(1))
    scene.pass_s(5)
    caller = scene.rings(CALLER, number=number(2))
    scene.pass_s(5)
    assert (prompts.HOLD_OFFER in caller.heard) is is_offered


def test_an_offer_that_is_not_told_can_be_taken_by_key(open_scene: Callable[..., Scene]) -> None:
    """For centres whose own greeting says it."""
    scene = open_scene(cards=cards(announcements=Announcements(offer=Offer.ON_KEY, place=True)))
    person = Person(presses={prompts.NEXT_IN_LINE: ["", "1"], prompts.USE_THIS_NUMBER: ["1"]})
    caller = scene.rings(person)
    scene.pass_s(90)
    assert {prompts.HOLD_OFFER, prompts.OFFER}.isdisjoint(caller.heard)
    assert len(scene.promises()) == 1


def test_where_no_callback_is_offered_the_key_does_nothing(open_scene: Callable[..., Scene]) -> None:
    """The caller holds on."""
    scene = open_scene(cards=cards(announcements=Announcements(offer=Offer.NEVER, place=True)))
    caller = scene.rings(Person(presses={prompts.NEXT_IN_LINE: ["1"]}))
    scene.pass_s(60)
    assert (caller.held_in, scene.promises()) == ("cards", [])


# -- limits


def test_a_caller_who_waited_too_long_is_told_so_and_goes_on(open_scene: Callable[..., Scene]) -> None:
    """The time counts from the arrival, over a restart too."""
    limits = Limits(max_wait_s=60, on_max_wait=JoinQueue("loans"))
    scene = open_scene(cards=cards(limits=limits))
    caller = scene.rings(CALLER)
    scene.pass_s(40)
    scene.restart()
    scene.pass_s(18)
    assert caller.held_in == "cards"
    scene.pass_s(5)
    assert prompts.MAX_WAIT in caller.heard
    assert caller.held_in == "loans"
    assert LeftAfterMaxWait in map(type, scene.queue_events)


def test_one_too_many_is_sent_elsewhere_and_the_others_wait(open_scene: Callable[..., Scene]) -> None:
    """あふれ呼: the line has room for two, also when three come at the same moment."""
    limits = Limits(max_length=2, on_full=SayGoodbye(FULL))
    scene = open_scene(cards=cards(limits=limits))
    callers = [scene.rings(CALLER, number=number(nth)) for nth in range(3)]
    scene.pass_s(10)
    (turned_away,) = [caller for caller in callers if caller.held_in is None]
    assert turned_away.heard[1:] == [prompts.LINE_FULL, FULL]
    assert scene.endings()[turned_away.id] == "informed"


def test_who_rings_back_or_is_urgent_is_never_one_too_many(open_scene: Callable[..., Scene]) -> None:
    """The one has a place already, the other cannot wait for another day."""
    limits = Limits(max_length=1, on_full=SayGoodbye(FULL))
    scene = open_scene(cards=cards(limits=limits))
    scene.promised("+819012345678")
    scene.rings(CALLER, number=number(1))
    scene.pass_s(5)
    back = scene.rings(CALLER, number="09012345678")
    scene.pass_s(5)
    assert back.held_in == "cards"


def test_who_would_wait_too_long_overflows_on_arrival(open_scene: Callable[..., Scene]) -> None:
    """By the far end of the expected wait; here to a promise."""
    limits = Limits(overflow_wait_s=300, on_overflow=LeaveNumber("cards"))
    scene = open_scene({"alice": Person(talks_s=900)}, cards=cards(limits=limits))
    scene.keeper.outlook.note_handled("cards", *[900.0] * 50)
    scene.rings(CALLER, number=number(1))
    scene.pass_s(5)
    caller = scene.rings(Person(presses={prompts.USE_THIS_NUMBER: ["1"]}), number=number(2))
    scene.pass_s(60)
    assert prompts.LINE_FULL in caller.heard
    assert [promise.number for promise in scene.promises()] == ["+819012340002"]


def test_with_nobody_on_duty_a_caller_is_sent_elsewhere(open_scene: Callable[..., Scene]) -> None:
    """On arrival."""
    limits = Limits(on_no_agents=CallOut("0398765432"))
    scene = open_scene({"alice": AGENT}, signed_in=False, cards=cards(limits=limits))
    scene.pbx.externals["0398765432"] = Person(talks_s=5)
    caller = scene.rings(CALLER)
    scene.pass_s(30)
    assert caller.heard[1] == prompts.NO_AGENTS
    assert scene.endings() == {caller.id: "transferred"}


def test_when_the_last_agent_leaves_those_who_wait_are_sent_elsewhere(open_scene: Callable[..., Scene]) -> None:
    """Nobody waits for an agent who went home."""
    limits = Limits(on_no_agents=JoinQueue("loans"))
    scene = open_scene({"alice": Person(talks_s=30)}, cards=cards(limits=limits))
    scene.rings(CALLER, number=number(1))
    scene.pass_s(5)
    caller = scene.rings(CALLER, number=number(2))
    scene.pass_s(5)
    assert caller.held_in == "cards"
    scene.pass_s(25)
    scene.registers("alice", registered=False)
    scene.pass_s(20)
    assert prompts.NO_AGENTS in caller.heard
    assert caller.held_in == "loans"
    assert LeftEmptyQueue in map(type, scene.queue_events)
