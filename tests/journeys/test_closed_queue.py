"""Outside the opening hours, before closing, and choosing a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from controller.domain.gate import CallingHours
from controller.domain.menu import SayGoodbye
from controller.domain.opening_hours import OpeningHours, Span
from controller.domain.promise import PromiseState
from controller.domain.slots import SlotPlan
from controller.journeys import prompts, spoken
from controller.journeys.house import Announcements, Limits, Offer
from tests.journeys.scene import CARDS
from tests.journeys.scripted_channel import Person

if TYPE_CHECKING:
    from collections.abc import Callable

    from controller.journeys.house import Queue
    from tests.journeys.scene import Scene
    from tests.journeys.scripted_channel import Channel

TOKYO = ZoneInfo("Asia/Tokyo")
WEDNESDAY = date(2026, 4, 1)
"""The day on which each scene begins: at noon in Tokyo, or later, when scenes were played before it."""
NINE_TO_FIVE = (Span(time(9), time(17)),)
MOBILE = "+819012345678"


def office(*days: tuple[Span, ...], exceptions: dict[date, tuple[Span, ...]] | None = None) -> OpeningHours:
    """Return hours by weekday; the last of `days` stands for the rest of the week."""
    week = (*days, *[days[-1]] * (7 - len(days)))
    return OpeningHours(week, TOKYO, "JP", exceptions=exceptions or {})


def cards(hours: OpeningHours, slots: SlotPlan | None = None, **changes: object) -> Queue:
    """Return the queue with these hours."""
    return replace(CARDS, hours=hours, slots=slots, **changes)  # type: ignore[arg-type]  # handed on as they came


def at(scene: Scene, hour: int, minute: int = 0) -> None:
    """Let time pass until the clocks of Tokyo show this, on a working day."""
    now = scene.theatre.clock.now()
    then = now.astimezone(TOKYO).replace(hour=hour, minute=minute, second=0, microsecond=0)
    while then <= now or then.weekday() > 2 or NORMAL.why_closed(then.replace(hour=10).astimezone(UTC)) is not None:
        then += timedelta(days=1)
    scene.pass_s((then - now).total_seconds())


NORMAL = office(NINE_TO_FIVE, NINE_TO_FIVE, NINE_TO_FIVE, NINE_TO_FIVE, NINE_TO_FIVE, ())
HALF_HOURS = SlotPlan(length_min=30, capacity=1, lead_min=0, horizon_days=7)
LEAVES = {prompts.CLOSED_OFFER: ["1"], prompts.USE_THIS_NUMBER: ["1"]}


def today(scene: Scene) -> date:
    """Return the day in Tokyo."""
    return scene.theatre.clock.now().astimezone(TOKYO).date()


def played(scene: Scene, person: Person, *, passing_s: float = 120) -> Channel:
    """Have somebody call, for as long as it takes."""
    caller = scene.rings(person)
    scene.pass_s(passing_s)
    return caller


def test_a_closed_queue_says_so_and_when_it_opens_and_takes_a_number(open_scene: Callable[..., Scene]) -> None:
    """Nothing is dialled at night: the promise is due when it opens, and keeps the caller's place."""
    scene = open_scene({"alice": Person(talks_s=20)}, cards=cards(NORMAL))
    at(scene, 22)
    arrived_at = scene.theatre.clock.now()
    opens = datetime.combine(today(scene) + timedelta(days=1), time(9), TOKYO)
    caller = played(scene, Person(presses=LEAVES))
    when = [prompts.OPENS_BEFORE, *spoken.moment(opens, today(scene), "ja"), prompts.OPENS_AFTER]
    assert caller.heard[1 : 2 + len(when)] == [prompts.CLOSED, *when]
    assert caller.heard[-1] == prompts.PROMISE_ASAP_OPENING
    (promise,) = scene.promises()
    assert (promise.not_before, promise.since) == (opens.astimezone(UTC), arrived_at)
    assert scene.attempts() == []
    scene.pbx.customers[MOBILE] = Person(presses={prompts.CALLBACK_CONFIRM: ["1"]}, talks_s=None)
    scene.pass_s((opens - scene.theatre.clock.now()).total_seconds() - 1)
    assert scene.attempts() == []
    scene.pass_s(60)
    assert [promise.state for promise in scene.promises()] == [PromiseState.FULFILLED]


def test_a_public_holiday_is_told_as_one(open_scene: Callable[..., Scene]) -> None:
    """By the calendar of the country: the day is found, whenever the scene is played."""
    everyday = office(NINE_TO_FIVE)
    scene = open_scene(cards=cards(everyday))
    at(scene, 8)
    day = today(scene)
    while not everyday.is_holiday(day):
        day += timedelta(days=1)
    noon = datetime.combine(day, time(12), TOKYO)
    scene.pass_s((noon - scene.theatre.clock.now()).total_seconds())
    caller = played(scene, Person(), passing_s=20)
    assert caller.heard[1] == prompts.CLOSED_HOLIDAY


def test_who_wants_no_callback_hears_goodbye(open_scene: Callable[..., Scene]) -> None:
    """Asked twice."""
    scene = open_scene(cards=cards(NORMAL))
    at(scene, 22)
    caller = played(scene, Person())
    assert caller.heard.count(prompts.CLOSED_OFFER) == 2
    assert caller.heard[-1] == prompts.GOODBYE
    assert scene.endings() == {caller.id: "informed"}


def test_a_closed_queue_with_a_destination_of_its_own_leads_there(open_scene: Callable[..., Scene]) -> None:
    """After it has said that it is closed."""
    limits = Limits(on_closed=SayGoodbye("message-moved"))
    scene = open_scene(cards=cards(NORMAL, limits=limits))
    at(scene, 22)
    caller = played(scene, Person())
    assert (caller.heard[1], caller.heard[-1]) == (prompts.CLOSED, "message-moved")


def test_a_database_that_is_away_promises_nothing_at_night(open_scene: Callable[..., Scene]) -> None:
    """Call again later; the call counts as our failure."""
    scene = open_scene(cards=cards(NORMAL))
    at(scene, 22)
    caller = scene.rings(Person(presses=LEAVES))
    scene.pass_s(4)
    with scene.theatre.database_locked():
        scene.pass_s(60)
    assert caller.heard[-1] == prompts.CALL_AGAIN
    assert scene.promises() == []


def test_at_night_a_time_can_be_chosen(open_scene: Callable[..., Scene]) -> None:
    """The days with free times first, then three times to a page; the promise is due at its start."""
    scene = open_scene(cards=cards(NORMAL, HALF_HOURS))
    at(scene, 22)
    tomorrow = today(scene) + timedelta(days=1)
    person = Person(
        presses={**LEAVES, prompts.WHEN_MENU: ["2"], prompts.CHOOSE_DAY: ["1"], prompts.CHOOSE_TIME: ["9", "2"]}
    )
    caller = played(scene, person)
    (promise,) = scene.promises()
    begins = datetime.combine(tomorrow, time(11), TOKYO)
    ends = begins + timedelta(minutes=30)
    assert promise.slot is not None
    assert (promise.slot.starts_at, promise.slot.ends_at) == (begins.astimezone(UTC), ends.astimezone(UTC))
    assert (promise.since, promise.not_before) == (promise.slot.starts_at, promise.slot.starts_at)
    said = [prompts.SLOT_BEFORE, *spoken.window(begins, ends, today(scene), "ja"), prompts.SLOT_AFTER]
    assert caller.heard[-len(said) :] == said


def test_by_day_a_caller_in_line_can_choose_today_tomorrow_or_later(open_scene: Callable[..., Scene]) -> None:
    """Only the days on which something is free are said."""
    scene = open_scene(cards=cards(NORMAL, HALF_HOURS))
    at(scene, 15)
    person = Person(presses={prompts.HOLD_OFFER: ["1"], prompts.USE_THIS_NUMBER: ["1"], prompts.WHEN_MENU: ["2"]})
    caller = played(scene, person, passing_s=40)
    day = caller.heard.index(prompts.CHOOSE_DAY)
    words = [prompts.TODAY, "press-1", prompts.TOMORROW, "press-2", prompts.LATER_DAY, "press-3"]
    assert caller.heard[day + 1 : day + 8] == [*words, prompts.EARLIER_CHOICE]


def test_as_soon_as_possible_keeps_the_place_in_line(open_scene: Callable[..., Scene]) -> None:
    """Key 1, or no key at all."""
    scene = open_scene(cards=cards(NORMAL, HALF_HOURS))
    at(scene, 12)
    arrived_at = scene.theatre.clock.now()
    person = Person(presses={prompts.HOLD_OFFER: ["1"], prompts.USE_THIS_NUMBER: ["1"], prompts.WHEN_MENU: ["1"]})
    caller = played(scene, person)
    (promise,) = scene.promises()
    assert (promise.slot, promise.since) == (None, arrived_at)
    assert caller.heard[-1] == prompts.PROMISE_MADE


def test_however_long_the_caller_thinks_we_do_not_ring_into_the_goodbye(open_scene: Callable[..., Scene]) -> None:
    """The seconds in which a promise is not dialled count from the choice, not from the question."""
    scene = open_scene(cards=cards(NORMAL, HALF_HOURS))
    at(scene, 12)
    played(scene, Person(presses={prompts.HOLD_OFFER: ["1"], prompts.USE_THIS_NUMBER: ["1"]}), passing_s=90)
    ((made_at,),), (promise,) = scene.theatre.sql("SELECT made_at FROM promises"), scene.promises()
    assert promise.not_before - datetime.fromisoformat(made_at).replace(tzinfo=UTC) > timedelta(seconds=7)


def test_going_back_from_the_times_leads_to_the_question_when(open_scene: Callable[..., Scene]) -> None:
    """Star; then as soon as possible after all."""
    scene = open_scene(cards=cards(NORMAL, HALF_HOURS))
    at(scene, 12)
    presses = {
        prompts.HOLD_OFFER: ["1"],
        prompts.USE_THIS_NUMBER: ["1"],
        prompts.WHEN_MENU: ["2", "1"],
        prompts.CHOOSE_DAY: ["1", "*"],
        prompts.CHOOSE_TIME: ["*"],
    }
    caller = played(scene, Person(presses=presses))
    assert caller.heard.count(prompts.WHEN_MENU) == 2
    assert [promise.slot for promise in scene.promises()] == [None]


def test_a_time_that_somebody_else_took_meanwhile_is_not_promised_twice(open_scene: Callable[..., Scene]) -> None:
    """Two callers pick the last place of one window at the same moment: one gets it, the other is asked again."""
    scene = open_scene(cards=cards(NORMAL, HALF_HOURS))
    at(scene, 22)
    presses = {**LEAVES, prompts.WHEN_MENU: ["2", "2"], prompts.CHOOSE_DAY: ["1", "1"], prompts.CHOOSE_TIME: ["1", "1"]}
    one = scene.rings(Person(presses=presses), number="09012345678")
    other = scene.rings(Person(presses=presses), number="09012345679")
    scene.pass_s(200)
    assert sorted([prompts.SLOT_TAKEN in one.heard, prompts.SLOT_TAKEN in other.heard]) == [False, True]
    slots = [promise.slot for promise in scene.promises()]
    assert len(slots) == len(set(slots)) == 2
    assert None not in slots


def test_when_every_time_is_taken_the_caller_is_told_and_can_be_called_in_turn(
    open_scene: Callable[..., Scene],
) -> None:
    """One window in all, and it is gone."""
    one_window = office((), (), (), (), (), (), ())
    scene = open_scene(cards=cards(one_window, HALF_HOURS))
    at(scene, 12)
    day = today(scene) + timedelta(days=1)
    scene.close()
    hours = office((), exceptions={day: (Span(time(9), time(9, 30)),)})
    scene = open_scene(cards=cards(hours, HALF_HOURS))
    presses = {**LEAVES, prompts.WHEN_MENU: ["2", "1"], prompts.CHOOSE_TIME: ["1"]}
    played(scene, Person(presses=presses))
    late = scene.rings(Person(presses=presses), number="09012345679")
    scene.pass_s(120)
    assert prompts.NO_SLOTS in late.heard
    assert late.heard[-1] == prompts.PROMISE_ASAP_OPENING


@pytest.mark.parametrize(("slots", "offers"), [(None, 0), (HALF_HOURS, 1)])
def test_no_callback_in_turn_is_offered_that_would_come_after_closing(
    open_scene: Callable[..., Scene], slots: SlotPlan | None, offers: int
) -> None:
    """The far end of the wait passes closing time: not offered, unless a time can be chosen."""
    queue = cards(NORMAL, slots, announcements=Announcements(offer=Offer.AT_ONCE))
    scene = open_scene({"alice": Person(talks_s=900)}, cards=queue)
    at(scene, 16, 50)
    scene.keeper.outlook.note_handled("cards", *[1800.0] * 50)
    scene.rings(Person(talks_s=None), number="09012340001")
    scene.pass_s(5)
    caller = scene.rings(Person(talks_s=None))
    scene.pass_s(20)
    assert caller.heard.count(prompts.HOLD_OFFER) == offers


def test_whoever_asks_shortly_before_closing_is_promised_the_next_opening(open_scene: Callable[..., Scene]) -> None:
    """Told why, and first thing in the morning."""
    queue = cards(NORMAL, announcements=Announcements(offer=Offer.ON_KEY, place=True))
    scene = open_scene({"alice": Person(talks_s=900)}, cards=queue)
    at(scene, 16, 50)
    scene.keeper.outlook.note_handled("cards", *[1800.0] * 50)
    scene.rings(Person(talks_s=None), number="09012340001")
    scene.pass_s(5)
    caller = scene.rings(Person(presses={prompts.NEXT_IN_LINE: ["1"], prompts.USE_THIS_NUMBER: ["1"]}))
    scene.pass_s(60)
    assert prompts.CLOSING_SOON in caller.heard
    (promise,) = scene.promises()
    assert promise.not_before.astimezone(TOKYO).time() == time(9)


def test_a_caller_at_the_closed_door_when_the_controller_dies_is_told_again(open_scene: Callable[..., Scene]) -> None:
    """They were asked, and had not answered."""
    scene = open_scene(cards=cards(NORMAL))
    at(scene, 22)
    caller = scene.rings(Person(presses={prompts.CLOSED_OFFER: ["", "1"], prompts.USE_THIS_NUMBER: ["1"]}))
    scene.pass_s(9)
    scene.restart()
    scene.pass_s(60)
    assert caller.heard.count(prompts.CLOSED) == 2
    assert len(scene.promises()) == 1


def test_no_slot_lies_outside_the_hours_in_which_customers_may_be_rung(open_scene: Callable[..., Scene]) -> None:
    """The queue opens at nine, customers are rung from ten."""
    scene = open_scene(cards=cards(NORMAL, HALF_HOURS), hours=CallingHours(time(10), time(20), TOKYO))
    at(scene, 22)
    person = Person(presses={**LEAVES, prompts.WHEN_MENU: ["2"], prompts.CHOOSE_DAY: ["1"], prompts.CHOOSE_TIME: ["1"]})
    played(scene, person)
    (promise,) = scene.promises()
    assert promise.not_before.astimezone(TOKYO).time() == time(10)


def test_after_the_last_times_the_first_are_said_again(open_scene: Callable[..., Scene]) -> None:
    """Told that there are no later ones."""
    scene = open_scene(cards=cards(NORMAL, SlotPlan(length_min=120, capacity=1, lead_min=0, horizon_days=7)))
    at(scene, 22)
    times = ["9", "9", "1"]
    presses = {**LEAVES, prompts.WHEN_MENU: ["2"], prompts.CHOOSE_DAY: ["1"], prompts.CHOOSE_TIME: times}
    caller = played(scene, Person(presses=presses))
    assert caller.heard.count(prompts.NO_MORE_SLOTS) == 1
    (promise,) = scene.promises()
    assert promise.not_before.astimezone(TOKYO).time() == time(9)
