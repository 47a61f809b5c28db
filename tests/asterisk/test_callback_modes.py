"""Who is rung first, with real phones: the agent, who hears whose callback it is or may choose, or the customer."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from lab.audio import looks_like_music
from lab.phone import Answer, Ignore, NotRung
from tests.asterisk.callbacks_site import (
    OWN_CALLER_ID,
    WHISPER,
    Story,
    callback_floor,
    ended_attempt,
    explained,
    has_heard,
    hear_each_other,
    hears,
    leaves_number,
    rung,
    way_in,
)
from tests.asterisk.floor import Floor, e164

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from lab.phone import Phone, PhoneCall

PREVIEW = '[queues.callbacks]\nmode = "preview"\npostpone_s = 5400\npass_pause_s = 600'
CUSTOMER_FIRST = '[queues.callbacks]\nmode = "customer_first"\nmax_deck_s = 60'
STORIES = {
    "whisper": Story(agents=(0,)),
    "cut": Story(rules=f'caller_id = "{OWN_CALLER_ID}"', agents=(1,)),
    "dial": Story(PREVIEW, agents=(2,)),
    "pass": Story(PREVIEW, agents=(3, 4)),
    "off": Story(PREVIEW, agents=(5,)),
    "ahead": Story(CUSTOMER_FIRST, agents=(6,)),
    "two": Story(CUSTOMER_FIRST, agents=(7, 8)),
    "gone": Story(CUSTOMER_FIRST, agents=(9,)),
}


@pytest.fixture(scope="module")
async def opened(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Floor, Mapping[str, list[Phone]]]]:
    """Start everything once, and let a customer (in "two": two, one after the other) leave their number everywhere."""
    async with callback_floor(tmp_path_factory.mktemp("site"), STORIES) as floor:
        customers = {queue: [floor.customer()] for queue in STORIES}
        customers["two"].append(floor.customer())
        await asyncio.gather(
            *(leaves_number(floor, phones[0], way_in(STORIES, queue)) for queue, phones in customers.items())
        )
        await leaves_number(floor, customers["two"][1], way_in(STORIES, "two"))
        yield floor, customers


@pytest.fixture(scope="module")
def running_floor(opened: tuple[Floor, Mapping[str, list[Phone]]]) -> Floor:
    """Give the floor to those who look after it between two tests."""
    return opened[0]


@pytest.fixture(scope="module")
def customers(opened: tuple[Floor, Mapping[str, list[Phone]]]) -> Mapping[str, list[Phone]]:
    """Return who waits for a callback, by queue."""
    return opened[1]


def promise_of(floor: Floor, customer: Phone) -> str:
    """Return the id of a customer's promise."""
    (row,) = floor.rows("select id from promises where number = ?", e164(customer.user))
    return str(row["id"])


async def confirms(customer: Phone) -> PhoneCall:
    """Have the customer, who answers when rung, press 1."""
    callback = await customer.rings()
    await callback.answered()
    await callback.press("1")
    return callback


async def waits_at_the_front(floor: Floor, callback: PhoneCall) -> None:
    """See that a customer who has confirmed is told so, and then hears music."""
    said_s = await floor.heard(callback, "connecting")
    began_s = await callback.heard.until_sound(from_s=said_s + 2.2)
    await callback.heard.until_sound(from_s=began_s + 3)
    assert looks_like_music(callback.heard.slice(began_s, began_s + 3))


# -- the agent first


async def test_an_agent_hears_whose_callback_it_is_before_the_customers_phone_rings(
    floor: Floor, customers: Mapping[str, list[Phone]]
) -> None:
    """The last four digits and the wait; then music until the customer has confirmed."""
    (customer,) = customers["whisper"]
    customer.when_rung = Answer()
    leg = await (await floor.signed_in(0)).rings()
    last = [f"digit-{digit}" for digit in customer.user[-4:]]
    await hears(floor, leg, *WHISPER, *last)
    assert rung(customer) == 0
    await floor.heard(leg, "whisper-wait-before")
    callback = await confirms(customer)
    assert callback.caller_id.number == floor.stack.site.service_number
    await hear_each_other(leg, callback)
    await callback.hang_up()
    await leg.ended
    assert (await ended_attempt(floor, promise_of(floor, customer)))["outcome"] == "talked"


async def test_any_key_of_the_agents_cuts_the_whisper_short(floor: Floor, customers: Mapping[str, list[Phone]]) -> None:
    """The customer is rung at once, and sees the number of their queue."""
    (customer,) = customers["cut"]
    leg = await (await floor.signed_in(1)).rings()
    await floor.heard(leg, "agent-whisper")
    await leg.press("#")
    callback = await customer.rings()
    assert callback.caller_id.number == OWN_CALLER_ID
    assert not has_heard(floor, leg, "whisper-wait-before")
    await leg.hang_up()
    await callback.ended


# -- preview


async def test_in_preview_the_customer_is_dialled_once_the_agent_presses_1(
    floor: Floor, customers: Mapping[str, list[Phone]]
) -> None:
    """Not before: they hear the whole question first."""
    (customer,) = customers["dial"]
    customer.when_rung = Answer()
    leg = await (await floor.signed_in(2)).rings()
    await floor.heard(leg, "preview-menu")
    assert rung(customer) == 0
    await leg.press("1")
    await hear_each_other(leg, await confirms(customer))


async def test_in_preview_2_leaves_the_customer_to_a_colleague(
    floor: Floor, customers: Mapping[str, list[Phone]]
) -> None:
    """The colleague is asked next, and the one who passed is not asked again."""
    (customer,) = customers["pass"]
    customer.when_rung = Answer()
    first = await floor.signed_in(3)
    leg = await first.rings()
    await leg.press("2")
    await floor.heard(leg, "preview-passed")
    await leg.ended
    second = await (await floor.signed_in(4)).rings()
    assert (rung(customer), rung(first)) == (0, 1)
    await second.press("1")
    await hear_each_other(second, await confirms(customer))
    assert rung(first) == 1
    _, told = await explained(floor, promise_of(floor, customer))
    assert "attempt 1 by agent-5" in told
    assert "attempt 1 by agent-4" not in told


async def test_in_preview_3_puts_the_customer_off(floor: Floor, customers: Mapping[str, list[Phone]]) -> None:
    """By as much as the settings say, without a call; `explain` tells who did it, and what comes next."""
    (customer,) = customers["off"]
    promise_id = promise_of(floor, customer)
    leg = await (await floor.signed_in(5)).rings()
    await leg.press("3")
    await floor.heard(leg, "preview-postponed")
    await leg.ended
    query = "select at, not_before from promise_events join promises on id = promise_id where id = ? and event = ?"
    async with asyncio.timeout(10):
        while not (found := floor.rows(query, promise_id, "Postponed")):
            await floor.stack.pbx.cli("core waitfullybooted")  # Nothing tells of it: this gives it time.
    at, not_before = (datetime.fromisoformat(found[0][column]) for column in ("at", "not_before"))
    assert abs(not_before - at - timedelta(seconds=5400)) < timedelta(seconds=10)
    told, lines = await explained(floor, promise_id)
    assert "the agent put it off" in lines
    assert told["promise"]["state"] == "waiting"
    assert datetime.fromisoformat(told["next"]["not_before"]).replace(tzinfo=None) == not_before.replace(tzinfo=None)
    assert rung(customer) == 0
    assert floor.rows("select id from attempts where promise_id = ?", promise_id) == []


# -- the customer first


async def test_a_customer_who_is_dialled_first_is_joined_with_the_free_agent_at_once(
    floor: Floor, customers: Mapping[str, list[Phone]]
) -> None:
    """The agent's phone is quiet until the customer has pressed 1."""
    (customer,) = customers["ahead"]
    agent = await floor.signed_in(6)
    callback = await customer.rings()
    await callback.answer()
    await floor.heard(callback, "callback-confirm")
    assert rung(agent) == 0
    await callback.press("1")
    leg = await agent.rings()
    await floor.heard(leg, "agent-whisper-waiting")
    await hear_each_other(leg, callback)
    await callback.hang_up()
    await leg.ended
    promise_id = promise_of(floor, customer)
    assert (await ended_attempt(floor, promise_id))["outcome"] == "talked"
    assert "attempt 1 with the customer first" in (await explained(floor, promise_id))[1]


async def test_of_two_who_confirmed_the_second_waits_with_music_and_is_served_next(
    floor: Floor, customers: Mapping[str, list[Phone]]
) -> None:
    """There were two agents when both were dialled, and one has left since."""
    for customer in customers["two"]:
        customer.when_rung = Ignore()
    agent, leaver = await asyncio.gather(floor.signed_in(7), floor.signed_in(8))
    first, second = [await customer.rings() for customer in customers["two"]]
    await leaver.unregister()
    for callback in (first, second):
        await callback.answer()
        await callback.answered()
    await first.press("1")
    leg = await agent.rings()
    await hear_each_other(leg, first)
    await second.press("1")
    await waits_at_the_front(floor, second)
    with pytest.raises(NotRung):
        await agent.rings(timeout_s=0)
    await first.hang_up()
    await hear_each_other(await agent.rings(), second)


async def test_a_customer_who_hangs_up_at_the_front_of_the_line_was_let_down(
    floor: Floor, customers: Mapping[str, list[Phone]]
) -> None:
    """The outcome is abandoned, with the moment when they said yes; they will be called again."""
    (customer,) = customers["gone"]
    agent = await floor.signed_in(9)
    callback = await customer.rings()
    await agent.unregister()
    await callback.answer()
    await callback.answered()
    await callback.press("1")
    await waits_at_the_front(floor, callback)
    await callback.hang_up()
    promise_id = promise_of(floor, customer)
    attempt = await ended_attempt(floor, promise_id)
    assert (attempt["outcome"], attempt["agent"]) == ("abandoned", "")
    assert attempt["confirmed_at"] is not None
    told, _ = await explained(floor, promise_id)
    assert told["promise"]["state"] == "waiting"
    assert rung(agent) == 0
