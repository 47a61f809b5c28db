"""The late watch, in virtual time on the real line, dialer and database: who is told that it is late, and when."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from controller.domain.agents import Duty
from controller.domain.gate import CallingHours
from controller.domain.lifecycle import Postponed, PostponeReason
from controller.domain.outcome import Outcome
from controller.domain.slots import Slot
from controller.ports.promises import Made, NewPromise
from controller.workers.late_watch import LateWatch
from tests.journeys.scene import CARDS, Scene
from tests.journeys.scripted_channel import Person
from tests.journeys.virtual_time import VirtualClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from controller.domain.promise import Promise

NUMBER = "+819012345678"
START = VirtualClock.START
TOKYO = ZoneInfo("Asia/Tokyo")
PATIENT = Person(patience_s=90_000)


class Watching:
    """A scene with a late watch. Minutes are those since noon."""

    def __init__(self, scene: Scene, **options: Any) -> None:
        self.scene = scene
        self.noon = scene.theatre.clock.now()
        self._options = options
        self._task: Any = None
        self.open()

    def open(self) -> None:
        """Begin to watch."""

        def begin() -> None:
            watch = LateWatch(self.scene.house, self.scene.keeper, **self._options)
            self._task = self.scene.theatre.loop.create_task(watch.run())

        self.scene.do(begin)

    def close(self) -> None:
        """End it."""
        self._task.cancel()
        self.scene.pass_s(0.01)

    def at(self, minute: float) -> datetime:
        """Return the time so many minutes after the beginning."""
        return self.noon + timedelta(minutes=minute)

    def until(self, minute: float) -> None:
        """Let time pass until then."""
        self.scene.pass_s((self.at(minute) - self.scene.theatre.clock.now()).total_seconds())

    def window(self, since_min: float, until_min: float) -> Slot:
        """Return a window."""
        return Slot(self.at(since_min), self.at(until_min))

    def booked(self, slot: Slot, *, number: str = NUMBER, person: Person | None = None) -> Promise:
        """Have a customer book it."""
        if person is not None:
            self.scene.pbx.customers[number] = person
        theatre = self.scene.theatre
        wanted = NewPromise("cards", number, "ja", theatre.clock.now(), theatre.new_id(), slot=slot, slot_capacity=None)
        made = theatre.outside(theatre.store.promises.make(wanted))
        assert isinstance(made, Made)
        return made.promise

    def told(self) -> list[tuple[float, float]]:
        """Return of each text that says so when it was owed, and which time it names, in minutes."""
        found = self.scene.theatre.sql(
            "SELECT queued_at, details FROM sms_outbox WHERE template = 'running_late' ORDER BY id"
        )
        return [
            (self._minute(queued_at), self._minute(json.loads(details)["expected_at"])) for queued_at, details in found
        ]

    def _minute(self, told: str) -> float:
        moment = datetime.fromisoformat(told)
        aware = moment if moment.tzinfo else moment.replace(tzinfo=self.noon.tzinfo)
        return (aware - self.noon).total_seconds() / 60


@pytest.fixture
def watch(open_scene: Callable[..., Scene]) -> Iterator[Callable[..., Watching]]:
    """Return a way to open a scene that is watched; `notice_s` is for the watch, all else for the scene."""
    opened: list[Watching] = []

    def begin(*args: Any, notice_s: dict[str, float] | None = None, **options: Any) -> Watching:
        watching = Watching(open_scene(*args, **options), notice_s=notice_s or {})
        opened.append(watching)
        return watching

    yield begin
    for watching in opened:
        watching.close()


def test_with_nobody_there_it_is_told_five_minutes_before_the_end_and_once(watch: Callable[..., Watching]) -> None:
    """The text is of use until the window ends, and names a time after it."""
    house = watch()
    house.booked(house.window(30, 60))
    house.until(54.9)
    assert house.told() == []
    house.until(600)
    ((told_min, expected_min),) = house.told()
    assert 55 <= told_min < 55.1
    assert 90 <= expected_min < 95
    ((valid_until, ends_at),) = house.scene.theatre.sql(
        "SELECT valid_until, slot_ends_at FROM sms_outbox, promises WHERE template = 'running_late'"
    )
    assert valid_until == ends_at


def test_a_window_that_is_kept_is_not_told_of(watch: Callable[..., Watching]) -> None:
    """They are called in it, and talk beyond its end."""
    house = watch({"alice": Person(talks_s=None)})
    house.booked(house.window(30, 60), person=Person(presses={"callback-confirm": ["1"]}, talks_s=3600))
    house.until(200)
    assert house.told() == []
    assert [outcome for _, outcome in house.scene.attempts()] == ["talked"]


def test_a_line_that_is_too_long_is_told_of_as_soon_as_the_window_begins(watch: Callable[..., Watching]) -> None:
    """Twenty before them, one agent, four minutes each: it will be far later, and they learn it early."""
    house = watch({"alice": Person(talks_s=None)})
    house.scene.pass_s(1)
    for nth in range(21):
        house.scene.rings(replace(PATIENT, talks_s=3600), number=f"090111111{nth:02}")
    house.booked(house.window(30, 60))
    house.until(29.9)
    assert house.told() == []
    house.until(31)
    ((told_min, expected_min),) = house.told()
    assert 30 <= told_min < 30.1
    assert expected_min > 90


def test_it_is_told_when_agents_leave_and_not_only_when_callers_come(watch: Callable[..., Watching]) -> None:
    """With six it would have been in time; five say that after this call they are gone, and with one it is not."""
    staff = {name: Person(talks_s=None) for name in ("alice", "ben", "chie", "dan", "eri", "fumi")}
    house = watch(staff)
    house.scene.pass_s(1)
    for nth in range(26):
        house.scene.rings(replace(PATIENT, talks_s=3600), number=f"090111111{nth:02}")
    house.booked(house.window(30, 60))
    house.until(33)
    assert house.told() == []
    off_duty = {name: Duty(signed_in=False) for name in list(staff)[1:]}
    house.scene.do(lambda: house.scene.desk.take_over(off_duty))
    house.until(33.05)
    assert len(house.told()) == 1


def test_a_customer_who_was_called_and_not_there_is_not_told_that_we_are_late(watch: Callable[..., Watching]) -> None:
    """We were not."""
    house = watch({"alice": Person(talks_s=None)})
    house.booked(house.window(30, 60), person=Person(answers_after_s=None))
    house.until(300)
    assert house.told() == []


def test_a_call_that_we_could_not_place_leaves_us_late(watch: Callable[..., Watching]) -> None:
    """Nobody's phone rang: the next try is behind the window, and that is told at once."""
    house = watch({"alice": Person(talks_s=None)})
    house.booked(house.window(30, 60), person=Person(refuses=Outcome.CONGESTION))
    house.until(59)
    ((told_min, _),) = house.told()
    assert 30 <= told_min < 32


def test_an_agent_whose_phone_rings_in_vain_does_not_keep_it_from_being_told(watch: Callable[..., Watching]) -> None:
    """As long as it rings there is hope; when it has rung out there is none."""
    house = watch({"alice": Person(answers_after_s=None)})
    house.booked(house.window(30, 60))
    house.until(60)
    ((told_min, _),) = house.told()
    assert 55 <= told_min < 56


def test_what_is_put_off_beyond_its_window_is_told_at_once(watch: Callable[..., Watching]) -> None:
    """A cap was reached an hour before: they need not wait for it."""
    house = watch()
    promise = house.booked(house.window(60, 90))
    house.until(10)
    store = house.scene.theatre.store
    postponed = Postponed(house.at(200), PostponeReason.OVER_CAP)
    house.scene.theatre.outside(store.promises.advance(promise.id, postponed))
    house.until(11)
    ((told_min, expected_min),) = house.told()
    assert 10 <= told_min < 10.1
    assert 200 <= expected_min < 205


def test_whose_window_ends_with_the_calling_hours_is_told_of_the_next_morning(
    open_scene: Callable[..., Scene], watch: Callable[..., Watching]
) -> None:
    """And not of half an hour later, when nobody may be called."""
    opened = open_scene()
    local = opened.theatre.clock.now().astimezone(TOKYO)
    closes = (local + timedelta(minutes=60)).replace(second=0, microsecond=0)
    house = watch(hours=CallingHours(time(9), closes.time(), TOKYO))
    house.booked(Slot((closes - timedelta(minutes=30)), closes))
    house.until(70)
    ((_, expected_min),) = house.told()
    expected = house.at(expected_min).astimezone(TOKYO)
    assert expected.time().replace(microsecond=0) == time(9)
    assert expected.date() == (closes + timedelta(days=closes.hour >= 9)).date()


def test_each_window_is_told_of_once_and_a_new_one_again(watch: Callable[..., Watching]) -> None:
    """Whoever chose another time after the first text, and is let down again, hears it again."""
    house = watch()
    first, second = house.window(30, 60), house.window(90, 120)
    house.booked(first)
    house.until(57)
    house.booked(second)
    house.until(300)
    assert [round(told_min) for told_min, _ in house.told()] == [55, 115]


def test_a_customer_who_stands_in_line_themselves_is_not_told(watch: Callable[..., Watching]) -> None:
    """They are here. When they hang up before the window ends, they are told."""
    house = watch()
    house.booked(house.window(10, 40))
    house.until(34)
    house.scene.rings(Person(patience_s=180), number="09012345678")
    house.until(36.9)
    assert house.told() == []
    house.until(41)
    ((told_min, _),) = house.told()
    assert 37 <= told_min < 40


def test_a_database_that_is_away_delays_the_telling_and_after_the_end_nothing_is_told(
    watch: Callable[..., Watching],
) -> None:
    """Of two windows one ends while it is away."""
    house = watch()
    house.booked(house.window(10, 40))
    house.booked(house.window(11, 43), number="+819087654321")
    house.until(34.5)
    with house.scene.theatre.database_locked():
        house.until(41)
    house.until(60)
    ((told_min, _),) = house.told()
    assert 41 <= told_min < 42


def test_windows_are_watched_before_there_is_a_pbx(watch: Callable[..., Watching]) -> None:
    """After a restart, with a line that knows nothing yet, they are read from the database."""
    house = watch()
    house.booked(house.window(30, 60))
    house.close()
    house.scene.keeper.promises.note(replace(house.scene.promises()[0], slot=None, told_late=True))
    house.scene.keeper.may_serve = lambda: False
    house.open()
    house.until(61)
    assert len(house.told()) == 1


def test_how_long_before_the_end_it_is_told_is_for_the_queue_to_say(watch: Callable[..., Watching]) -> None:
    """Ten minutes here."""
    house = watch(notice_s={CARDS.name: 600})
    house.booked(house.window(30, 60))
    house.until(49.9)
    assert house.told() == []
    house.until(51)
    assert len(house.told()) == 1


def test_who_is_told_is_still_called_in_their_turn(watch: Callable[..., Watching]) -> None:
    """The text changes no place."""
    house = watch({"alice": Person(talks_s=None)}, signed_in=False)
    promise = house.booked(house.window(30, 60), person=Person(presses={"callback-confirm": ["1"]}, talks_s=20))
    house.until(58)
    assert len(house.told()) == 1
    house.scene.registers("alice")
    house.until(62)
    assert [each.state.value for each in house.scene.promises()] == ["fulfilled"]
    assert house.scene.promises()[0].id == promise.id
