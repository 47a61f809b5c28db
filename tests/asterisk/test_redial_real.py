"""An agent calls a customer back by hand, from their own phone: *46 and the number."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from lab.phone import Answer, Ignore
from tests.asterisk.callbacks_site import (
    Story,
    callback_floor,
    ended_attempt,
    explained,
    hear_each_other,
    leaves_number,
    rung,
    way_in,
)
from tests.asterisk.floor import AGENT_HZ, Floor
from tests.asterisk.sentences import dialled

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from lab.phone import Phone, PhoneCall

STORIES = {
    "talk": Story(agents=(0,)),
    "none": Story(agents=(1,)),
    "rings": Story(agents=(2, 3)),
    "killed-in-talk": Story(agents=(4,)),
    "killed-in-ring": Story(agents=(5,)),
}


@pytest.fixture(scope="module")
async def running_floor(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Floor]:
    """Start everything once for the tests of this file."""
    async with callback_floor(tmp_path_factory.mktemp("site"), STORIES) as floor:
        yield floor


async def paused(floor: Floor, place: int) -> Phone:
    """Let an agent sign in and pause: the dialer gives them nothing, and they may redial all the same."""
    agent = await floor.signed_in(place)
    call = await dialled(agent, "*131")
    await floor.heard(call, "agent-paused")
    await call.ended
    return agent


async def promised(floor: Floor, queue: str) -> tuple[str, Phone]:
    """Let a customer leave their number; return the promise's id and the customer's phone, which answers."""
    customer = floor.customer()
    customer.when_rung = Answer()
    return await leaves_number(floor, customer, way_in(STORIES, queue)), customer


async def redials(agent: Phone, number: str) -> PhoneCall:
    """Dial the code and a number; the agent says their tone."""
    call = await dialled(agent, f"*46{number}")
    call.talk(AGENT_HZ)
    return call


async def confirms(floor: Floor, customer: Phone) -> PhoneCall:
    """Have the customer, who answers when rung, hear who calls, and press 1."""
    callback = await customer.rings()
    await callback.answered()
    await floor.heard(callback, "callback-greeting")
    await callback.press("1")
    return callback


async def parted(agent_end: PhoneCall, callback: PhoneCall) -> None:
    """Let the customer hang up; the agent's phone is on the hook then."""
    await callback.hang_up()
    async with asyncio.timeout(10):
        await agent_end.ended


async def test_an_agent_who_dials_the_customers_number_talks_with_them(floor: Floor) -> None:
    """It is the same promise: kept, and `explain` says that it was by hand and by whom."""
    agent = await paused(floor, 0)
    promise_id, customer = await promised(floor, "talk")
    call = await redials(agent, customer.user)
    await floor.heard(call, "redial-dialling")
    callback = await confirms(floor, customer)
    assert callback.caller_id.number == floor.stack.site.service_number
    await hear_each_other(call, callback)
    await parted(call, callback)
    attempt = await ended_attempt(floor, promise_id)
    assert (attempt["outcome"], attempt["agent"], bool(attempt["by_hand"])) == ("talked", "agent-1", True)
    told, lines = await explained(floor, promise_id)
    assert "attempt 1 by agent-1, redialled by hand" in lines
    assert told["promise"]["state"] == "fulfilled"
    assert rung(customer) == 1


async def test_an_agent_cannot_call_whoever_did_not_ask_for_it(floor: Floor) -> None:
    """Nor a number that may not be called, and nobody's phone rings."""
    agent = await paused(floor, 1)
    stranger = floor.customer()
    for number, prompt in ((stranger.user, "redial-none"), ("0990123456", "redial-bad-number")):
        call = await redials(agent, number)
        await floor.heard(call, prompt)
        await call.ended
    assert rung(stranger) == 0
    assert floor.rows("select id from attempts where agent = 'agent-2'") == []


async def test_an_agent_hears_that_a_colleague_is_calling_the_customer_already(floor: Floor) -> None:
    """The dialer's call rings meanwhile; it goes on, and is the only one."""
    agent = await paused(floor, 2)
    promise_id, customer = await promised(floor, "rings")
    customer.when_rung = Ignore()
    leg = await (await floor.signed_in(3)).rings()
    await leg.answered()
    await leg.press("1")  # The whisper is not what matters here.
    callback = await customer.rings()
    call = await redials(agent, customer.user)
    await floor.heard(call, "agent-colleague")
    await call.ended
    await callback.answer()
    await callback.answered()
    await callback.press("1")
    await hear_each_other(leg, callback)
    await parted(leg, callback)
    assert (await ended_attempt(floor, promise_id))["agent"] == "agent-4"
    assert rung(customer) == 1


async def test_a_talk_by_hand_goes_on_when_the_controller_is_killed(floor: Floor) -> None:
    """The next controller knows the agent's phone for the one of the attempt, and writes down that they talked."""
    agent = await paused(floor, 4)
    promise_id, customer = await promised(floor, "killed-in-talk")
    call = await redials(agent, customer.user)
    callback = await confirms(floor, customer)
    await hear_each_other(call, callback)
    await restarted(floor, promise_id)
    await hear_each_other(call, callback)
    await parted(call, callback)
    assert (await ended_attempt(floor, promise_id))["outcome"] == "talked"
    await floor.promise_is(promise_id, "fulfilled")
    assert (rung(customer), rung(agent)) == (1, 0)


async def test_a_customer_who_was_dialled_by_hand_is_joined_with_that_agent_after_a_restart(floor: Floor) -> None:
    """The controller is killed while the customer's phone rings: nobody is dialled again."""
    agent = await paused(floor, 5)
    promise_id, customer = await promised(floor, "killed-in-ring")
    customer.when_rung = Ignore()
    call = await redials(agent, customer.user)
    callback = await customer.rings()
    await restarted(floor, promise_id)
    await callback.answer()
    await callback.answered()
    await floor.heard(callback, "callback-greeting")
    await callback.press("1")
    await hear_each_other(call, callback)
    await parted(call, callback)
    attempt = await ended_attempt(floor, promise_id)
    assert (attempt["outcome"], bool(attempt["by_hand"])) == ("talked", True)
    assert (rung(customer), rung(agent)) == (1, 0)


async def restarted(floor: Floor, promise_id: str) -> None:
    """Kill the controller and start another, and wait until it has taken up the callback, with the agent."""
    controller = floor.stack.controller
    await controller.kill9()
    seen = len(controller.lines)
    await controller.start()
    await controller.logged(
        "a callback is taken up",
        since=seen,
        where=lambda line: line["promise_id"] == promise_id and line["with_agent"],
    )
