"""Opening hours and booked times, on a real Asterisk with real phones: what is heard, promised, and dialled when."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from controller.domain.promise import PromiseState
from controller.journeys import prompts, spoken
from controller.system_clock import SystemClock
from lab.phone import Answer, PhoneShelf
from lab.stack import running_stack
from tests.asterisk.conftest import QUICK
from tests.asterisk.floor import AGENT_HZ, Floor, e164
from tests.asterisk.hours_site import (
    AWAY_EN,
    AWAY_JA,
    HOLIDAY,
    LUNCH,
    PAIR,
    SOON,
    SOON_MIN,
    TIMES_DOOR,
    TIMES_EN,
    TIMES_JA,
    TOKYO,
    Timetable,
)
from tests.asterisk.sentences import dialled, hears, promise_to, together

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import AsyncIterator

    from lab.phone import PhoneCall

HALF_AN_HOUR = timedelta(minutes=30)


@dataclass(frozen=True)
class Office:
    """The floor with its timetable, and somebody who has booked a time and waits for the call."""

    floor: Floor
    timetable: Timetable
    punctual: asyncio.Task[str]
    """Ends once the booked call was made and they talked; returns the promise's id."""

    def slot(self, start: datetime, length: timedelta = HALF_AN_HOUR) -> list[str]:
        """Return how a window is said in English."""
        return spoken.window(start, start + length, self.timetable.today, "en")


@pytest.fixture(scope="module")
async def office(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    """Start everything once, and have somebody book the next time there is: it comes while the tests go on."""
    timetable = Timetable(SystemClock().now())
    home = tmp_path_factory.mktemp("site")
    async with running_stack(home, changes=QUICK, edit=timetable.settings) as stack, PhoneShelf() as shelf:
        whole = await Floor.furnished(stack, shelf)
        # An agent and a customer of their own: the others are put on the hook after each test.
        floor = Floor(stack, whole.agents[:1], whole.customers[:-1])
        aside = Floor(stack, whole.agents[1:], whole.customers[-1:])
        punctual = asyncio.create_task(booked_and_called(aside, timetable))
        yield Office(floor, timetable, punctual)
        punctual.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(punctual, return_exceptions=True)


@pytest.fixture(scope="module")
def running_floor(office: Office) -> Floor:
    """Give the tests the floor of this site."""
    return office.floor


async def booked_and_called(floor: Floor, timetable: Timetable) -> str:
    """Book the next time there is, with an agent free all along, and talk with them when the call comes."""
    customer, agent = floor.customer(), await floor.signed_in()
    call = await dialled(customer, SOON, "121")
    window = spoken.window(timetable.soon, timetable.soon + timedelta(minutes=SOON_MIN), timetable.today, "en")
    await hears(floor, call, [prompts.SLOT_BEFORE, *window, prompts.SLOT_AFTER])
    await call.ended
    promise = await promise_to(floor, e164(customer.user))
    assert promise["state"] == PromiseState.WAITING
    customer.when_rung = Answer(after_s=0.2)
    await agent.rings(timeout_s=110)
    callback = await customer.rings()
    await callback.answered()
    await callback.press("1")
    await callback.heard.until_tone(AGENT_HZ)
    await callback.hang_up()
    await floor.promise_is(promise["id"], PromiseState.FULFILLED)
    return str(promise["id"])


def instant(row: sqlite3.Row, column: str) -> datetime:
    """Return an instant as the database has it, in UTC."""
    return datetime.fromisoformat(row[column]).replace(tzinfo=UTC)


async def test_days_are_offered_and_then_their_times_three_to_a_page(floor: Floor, office: Office) -> None:
    """9 leads on and, after the last, to the first; star leads back, to as soon as possible in the end."""
    timetable = office.timetable

    async def looks_at_the_days() -> None:
        customer = floor.customer()
        call = await dialled(customer, TIMES_EN, "12")
        days = [prompts.TODAY, "press-1", prompts.TOMORROW, "press-2", prompts.LATER_DAY, "press-3"]
        heard_s = await hears(floor, call, [prompts.CHOOSE_DAY, *days, prompts.EARLIER_CHOICE])
        await call.press("1*")
        heard_s = await hears(floor, call, [prompts.CHOOSE_DAY], from_s=heard_s)
        await call.press("*")
        await hears(floor, call, [prompts.WHEN_MENU], from_s=heard_s)
        await call.press("1")
        promise = await promise_to(floor, e164(customer.user))
        assert promise["slot_starts_at"] is None
        assert promise["since"] < promise["made_at"]

    async def looks_at_the_pages() -> None:
        call = await dialled(floor.customer(), TIMES_EN, "121")
        first = ["today", "from", "hour-1", "pm", "to", "hour-1", "clock-30", "pm", "press-1"]
        heard_s = await hears(floor, call, [prompts.CHOOSE_TIME, *first])
        await call.press("9")
        last = [*office.slot(timetable.at(0, 14, 30)), "press-1", prompts.EARLIER_CHOICE]
        heard_s = await hears(floor, call, [prompts.CHOOSE_TIME, *last], from_s=heard_s)
        await call.press("9")
        await hears(floor, call, [prompts.NO_MORE_SLOTS, prompts.CHOOSE_TIME], from_s=heard_s)

    async def books(number: str, language: str, keys: str, start: datetime, window: list[str]) -> None:
        customer = floor.customer()
        call = await dialled(customer, number, f"12{keys}")
        await hears(floor, call, [prompts.SLOT_BEFORE, *window, prompts.SLOT_AFTER], language)
        await call.ended
        promise = await promise_to(floor, e164(customer.user))
        assert [instant(promise, column) for column in ("slot_starts_at", "not_before", "since")] == [start] * 3
        assert instant(promise, "slot_ends_at") == start + HALF_AN_HOUR

    await together(
        looks_at_the_days(),
        looks_at_the_pages(),
        books(TIMES_EN, "en", "31", timetable.at(2, 9), office.slot(timetable.at(2, 9))),
        books(TIMES_JA, "ja", "22", timetable.at(1, 12), ["tomorrow", "noon", "from", "pm", "hour-0", "clock-30"]),
    )


async def test_of_two_who_take_the_last_place_of_a_time_one_gets_it_and_the_other_is_asked_again(
    floor: Floor, office: Office
) -> None:
    """A third took the place before it while they heard the times; afterwards there is none left."""
    start = office.timetable.at(1, 15)
    customers = [floor.customer() for _ in range(3)]
    calls = [await dialled(customer, PAIR, "12") for customer in customers]
    for call in calls:
        await hears(floor, call, [prompts.CHOOSE_TIME])
    await calls[0].press("1")
    await hears(floor, calls[0], [prompts.SLOT_BEFORE, *office.slot(start)])
    answers: dict[str, PhoneCall] = {}

    async def takes(call: PhoneCall) -> None:
        await call.press("1")
        prompt = await first_heard(floor, call, prompts.SLOT_BEFORE, prompts.SLOT_TAKEN)
        assert prompt not in answers
        answers[prompt] = call

    await together(*(takes(call) for call in calls[1:]))
    winner, loser = answers[prompts.SLOT_BEFORE], answers[prompts.SLOT_TAKEN]
    heard_s = await hears(floor, loser, [prompts.SLOT_TAKEN, prompts.NO_SLOTS, prompts.WHEN_MENU])
    await loser.press("1")
    await hears(floor, loser, [prompts.PROMISE_ASAP_OPENING], from_s=heard_s)
    await loser.ended
    await winner.ended
    promises = {call: await promise_to(floor, e164(phone.user)) for call, phone in zip(calls, customers, strict=True)}
    assert [instant(promises[call], "slot_starts_at") for call in (calls[0], winner)] == [start, start]
    assert (promises[loser]["slot_starts_at"], instant(promises[loser], "not_before")) == (None, start)


async def first_heard(floor: Floor, call: PhoneCall, *wanted: str) -> str:
    """Return which of these prompts is heard first."""
    listening = {
        asyncio.create_task(call.heard.until_prompt(floor.stack.prompts.file(prompt, "en"), 20)): prompt
        for prompt in wanted
    }
    done, others = await asyncio.wait(listening, return_when=asyncio.FIRST_COMPLETED)
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    (first,) = done
    first.result()
    return listening[first]


async def test_a_closed_queue_says_when_it_opens_and_promises_a_call_for_then(floor: Floor, office: Office) -> None:
    """In the caller's language, on the queue's clock; it is due when the queue opens."""

    async def calls(number: str, language: str, *, asked: list[str], keys: str = "") -> None:
        customer = floor.customer()
        call = await dialled(customer, number, keys)
        today = SystemClock().now().astimezone(TOKYO).date()
        opens = spoken.moment(office.timetable.back, today, language)
        words = [prompts.CLOSED, prompts.OPENS_BEFORE, *opens, prompts.OPENS_AFTER, *asked]
        heard_s = await hears(floor, call, words, language)
        if not keys:
            await call.press("11")
        await hears(floor, call, [prompts.PROMISE_ASAP_OPENING], language, from_s=heard_s)
        await call.ended
        promise = await promise_to(floor, e164(customer.user))
        assert instant(promise, "not_before") == office.timetable.back
        assert promise["since"] < promise["made_at"]

    await together(
        calls(AWAY_EN, "en", asked=[prompts.CLOSED_OFFER]),
        calls(AWAY_JA, "ja", asked=[], keys="11"),
    )


async def test_lunch_and_holidays_are_told_and_lead_where_the_settings_say(floor: Floor, office: Office) -> None:
    """Lunch: until noon, then the queue's own destination. A time can be booked at the closed door."""
    timetable = office.timetable

    async def at_lunch() -> None:
        call = await dialled(floor.customer(), LUNCH)
        noon = spoken.moment(timetable.at(0, 12), timetable.today, "en")
        assert noon[-1] == prompts.NOON
        opens = [prompts.OPENS_BEFORE, *noon, prompts.OPENS_AFTER]
        await hears(floor, call, [prompts.CLOSED, *opens, "message-moved"])
        await call.ended

    async def on_a_holiday() -> None:
        call = await dialled(floor.customer(), HOLIDAY)
        await hears(floor, call, [prompts.CLOSED_HOLIDAY, prompts.OPENS_BEFORE])

    async def books_at_the_door() -> None:
        customer = floor.customer()
        call = await dialled(customer, TIMES_DOOR, "11221")
        opens = spoken.moment(timetable.at(0, 13), timetable.today, "en")
        closed = [prompts.CLOSED, prompts.OPENS_BEFORE, *opens, prompts.OPENS_AFTER]
        booked = [prompts.SLOT_BEFORE, *office.slot(timetable.at(1, 11, 30))]
        await hears(floor, call, [*closed, *booked])
        promise = await promise_to(floor, e164(customer.user))
        assert instant(promise, "not_before") == timetable.at(1, 11, 30)

    await together(at_lunch(), on_a_holiday(), books_at_the_door())


async def test_a_promise_for_a_time_is_dialled_when_it_begins_and_not_before(floor: Floor, office: Office) -> None:
    """An agent was free from before the booking on, and the call went through."""
    promise_id = await office.punctual
    (promise,) = floor.rows("select * from promises where id = ?", promise_id)
    (attempt,) = floor.rows("select * from attempts where promise_id = ?", promise_id)
    assert instant(promise, "slot_starts_at") == office.timetable.soon
    assert instant(promise, "slot_starts_at") <= instant(attempt, "started_at") < instant(promise, "slot_ends_at")
    (turn,) = (line for line in floor.stack.controller.lines if line.get("waiter") == promise_id)
    assert turn["agent"] == "agent-2"
