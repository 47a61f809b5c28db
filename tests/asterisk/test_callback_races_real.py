"""Others want something of a promise while it is being kept: an admin, an agent, the customer, another controller."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from controller.journeys import prompts
from lab.controller_process import ControllerProcess
from lab.phone import PhoneShelf
from lab.stack import running_stack
from tests.asterisk.conftest import QUICK
from tests.asterisk.floor import AGENT_HZ, CALLER_HZ, Floor, e164
from tests.asterisk.seen_from_outside import (
    LAST_OUTCOME,
    LEAVES_A_NUMBER,
    STATE,
    command,
    explained,
    frozen,
    let_count,
    watched,
    way_in,
)
from tests.asterisk.sentences import dialled

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from lab.phone import Phone, PhoneCall
    from tests.asterisk.seen_from_outside import Network

UNHURRIED = {
    **QUICK,
    ("[queues]", "agent_ring_timeout_s"): "20",
    ("[queues]", "customer_ring_timeout_s"): "25",
}
"""A phone rings until something is done about it."""


@pytest.fixture(scope="module")
async def everything(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Floor, Network]]:
    """Start everything once for the tests of this file, and count the calls at the telephone network."""

    def settings(text: str) -> str:
        return f"{text}\n{way_in(LEAVES_A_NUMBER, 'support')}"

    home = tmp_path_factory.mktemp("site")
    async with (
        running_stack(home, changes=UNHURRIED, edit=settings, furnish=let_count) as stack,
        watched(stack.site) as network,
        PhoneShelf() as shelf,
    ):
        yield await Floor.furnished(stack, shelf), network


@pytest.fixture(scope="module")
def running_floor(everything: tuple[Floor, Network]) -> Floor:
    """Give the tests the floor of this site."""
    return everything[0]


@pytest.fixture
def network(everything: tuple[Floor, Network]) -> Network:
    """Give a test the count of the calls."""
    return everything[1]


async def asks(floor: Floor, customer: Phone) -> str:
    """Have a customer ask for a call on their own number, and hang up; return the promise's id."""
    seen = promises_of(floor, customer)
    call = await dialled(customer, LEAVES_A_NUMBER, "1")
    async with asyncio.timeout(60):
        while not (new := promises_of(floor, customer) - seen):
            await floor.stack.pbx.cli("core waitfullybooted")  # Nothing tells of it: this gives it time.
    await call.hang_up()
    await call.ended
    return new.pop()


def promises_of(floor: Floor, customer: Phone) -> set[str]:
    """Return the ids of all promises of a customer's number."""
    return {str(row["id"]) for row in floor.rows("select id from promises where number = ?", e164(customer.user))}


async def rung(floor: Floor, customer: Phone) -> tuple[str, PhoneCall, PhoneCall]:
    """Have a promise dialled until the customer's phone rings; return its id, the agent's call and the customer's."""
    promise_id = await asks(floor, customer)
    leg = await (await floor.signed_in()).rings()
    await leg.answered()
    await leg.press("0")  # cuts short what they hear of the customer
    return promise_id, leg, await customer.rings()


async def joined(callback: PhoneCall, agent: PhoneCall) -> None:
    """Answer for the customer, who says yes; both hear each other."""
    await callback.answer()
    await callback.answered()
    await callback.press("1")
    callback.talk(CALLER_HZ)
    await asyncio.gather(callback.heard.until_tone(AGENT_HZ), agent.heard.until_tone(CALLER_HZ))


@asynccontextmanager
async def on_pause(floor: Floor, agent: Phone) -> AsyncIterator[None]:
    """Keep an agent, who is on duty, from getting calls; they may still dial."""
    await tells(floor, agent, "*131", prompts.AGENT_PAUSED)
    try:
        yield
    finally:
        await tells(floor, agent, "*14", prompts.AGENT_UNPAUSED)


async def tells(floor: Floor, phone: Phone, code: str, prompt: str) -> None:
    """Dial a code and hear what it leads to."""
    call = await dialled(phone, code)
    await floor.heard(call, prompt)
    await call.ended


async def test_a_cancel_while_the_phone_rings_ends_the_ringing_and_the_agent_hears_why(
    floor: Floor, network: Network
) -> None:
    """By another process, which rings the controller's doorbell; the story has who did it."""
    customer = floor.customer()
    promise_id, leg, ringing = await rung(floor, customer)
    said = await command(floor, "cancel", promise_id, "--json")
    assert (said.exit_code, said.data["was"], said.data["heard"]) == (0, "dialling", True)
    await ringing.ended
    await floor.heard(leg, prompts.AGENT_WITHDRAWN)
    await leg.ended
    story = await explained(floor, promise_id, LAST_OUTCOME, "withdrawn")
    assert story.tells("attempt 1 by agent-1", "cancelled by an admin", "attempt 1 over carrier: withdrawn")
    assert story.comes_next == ["nothing: the promise is cancelled"]
    assert len(await network.to(customer.user)) == 1


async def test_do_not_call_ends_the_ringing_and_neither_calls_nor_texts_follow(floor: Floor, network: Network) -> None:
    """Who asks for a call to that number once more is told that it cannot be called, and nothing is promised."""
    customer = floor.customer()
    promise_id, leg, ringing = await rung(floor, customer)
    said = await command(floor, "do-not-call", "add", customer.user, "--json")
    assert (said.exit_code, said.data["cancelled"], said.data["heard"]) == (0, [promise_id], True)
    await ringing.ended
    await floor.heard(leg, prompts.AGENT_WITHDRAWN)
    await leg.ended
    story = await explained(floor, promise_id, LAST_OUTCOME, "withdrawn")
    assert story.tells("cancelled: the number asked not to be called")

    call = await dialled(customer, LEAVES_A_NUMBER, "1")
    await floor.heard(call, prompts.NUMBER_NOT_ALLOWED)
    await call.hang_up()
    assert promises_of(floor, customer) == {promise_id}
    assert not any(line.startswith("SMS") for line in story.lines)
    assert len(await network.to(customer.user)) == 1
    assert floor.sent_sms(customer) == []


async def test_a_cancel_during_the_talk_is_refused_and_the_talk_goes_on(floor: Floor) -> None:
    """In one line; the promise is kept all the same."""
    promise_id, leg, ringing = await rung(floor, floor.customer())
    await joined(ringing, leg)
    said = await command(floor, "cancel", promise_id)
    assert (said.exit_code, said.text) == (
        1,
        f"promise {promise_id} is being kept: they are talking, and a talk is not cut",
    )
    ringing.hush()
    await leg.heard.until_silence(0.2, from_s=leg.heard.duration_s)
    ringing.talk(CALLER_HZ)
    await leg.heard.until_tone(CALLER_HZ, from_s=leg.heard.duration_s)
    await ringing.hang_up()
    await floor.promise_is(promise_id, "fulfilled")


async def test_a_promise_that_is_cancelled_in_line_is_passed_over(floor: Floor, network: Network) -> None:
    """Whoever came after is called, by the agent who comes then."""
    first, second = floor.customer(), floor.customer()
    cancelled, kept = await asks(floor, first), await asks(floor, second)
    assert (await command(floor, "cancel", cancelled)).exit_code == 0
    leg = await (await floor.signed_in()).rings()
    await leg.answered()
    await leg.press("0")
    callback = await second.rings()
    await joined(callback, leg)
    await callback.hang_up()
    await floor.promise_is(kept, "fulfilled")
    assert await network.to(first.user) == []
    story = await explained(floor, cancelled, STATE, "cancelled")
    assert story.tells("promised", "cancelled by an admin")


async def test_an_agent_who_redials_while_the_phone_rings_already_hears_of_the_colleague(
    floor: Floor, network: Network
) -> None:
    """One call reaches the network, and is answered."""
    customer, other = floor.customer(), await floor.signed_in(1)
    async with on_pause(floor, other):
        promise_id, leg, ringing = await rung(floor, customer)
        await tells(floor, other, f"*46{customer.user}", prompts.AGENT_COLLEAGUE)
        await joined(ringing, leg)
        await ringing.hang_up()
        await floor.promise_is(promise_id, "fulfilled")
    assert len(await network.to(customer.user)) == 1


async def test_an_agent_who_redials_before_the_colleague_has_answered_is_the_one_who_calls(
    floor: Floor, network: Network
) -> None:
    """The colleague, whose phone rang for the same promise, hears so; one call reaches the network."""
    customer, hand = floor.customer(), await floor.signed_in(1)
    async with on_pause(floor, hand):
        promise_id = await asks(floor, customer)
        asked = await (await floor.signed_in(answers=False)).rings()
        redial = await dialled(hand, f"*46{customer.user}")
        redial.talk(AGENT_HZ)
        ringing = await customer.rings()
        await asked.answer()
        await floor.heard(asked, prompts.AGENT_COLLEAGUE)
        await asked.ended
        await joined(ringing, redial)
        await ringing.hang_up()
        await floor.promise_is(promise_id, "fulfilled")
    assert len(await network.to(customer.user)) == 1
    story = await explained(floor, promise_id, STATE, "fulfilled")
    assert story.tells("attempt 1 by agent-2, redialled by hand", "attempt 1 over carrier: talked")


# ---------------------------------------------------------------- another controller


@asynccontextmanager
async def another_controller(floor: Floor) -> AsyncIterator[ControllerProcess]:
    """Start a second controller with the same settings; afterwards the first is started again in its place."""
    first = floor.stack.controller
    second = ControllerProcess(floor.stack.site, floor.stack.settings)
    await second.start()
    try:
        yield second
    finally:
        await second.stop()
        await first.kill9()
        await first.start()


async def test_a_second_controller_of_the_same_name_takes_up_what_rings_and_the_first_one_stands_by(
    floor: Floor, network: Network
) -> None:
    """Both live, on one database and one PBX: the first one hears that its name is used; nobody is called twice."""
    customer = floor.customer()
    promise_id, leg, ringing = await rung(floor, customer)
    async with another_controller(floor):
        await floor.stack.controller.logged("another controller runs under our name: give each its own")
        await joined(ringing, leg)
        await ringing.hang_up()
        await explained(floor, promise_id, STATE, "fulfilled")
    assert len(await network.to(customer.user)) == 1


async def test_a_controller_that_stood_still_past_its_lease_places_no_late_call(floor: Floor, network: Network) -> None:
    """It is stopped while the agent hears whose callback it is, right before the call; another makes that call."""
    customer, first = floor.customer(), floor.stack.controller
    promise_id = await asks(floor, customer)
    agent = await floor.signed_in()
    leg = await agent.rings()
    await leg.answered()
    pid = await frozen(floor)
    async with another_controller(floor) as second:
        gained = await second.logged("calls are placed from here")
        again = await agent.rings()
        await again.answered()
        await again.press("0")
        ringing = await customer.rings()
        originate = await second.logged("originate")
        assert second.lines.index(gained) < second.lines.index(originate)
        os.kill(pid, signal.SIGCONT)
        await first.logged("another controller runs under our name: give each its own")
        await joined(ringing, again)
        await ringing.hang_up()
        story = await explained(floor, promise_id, STATE, "fulfilled")
    assert story.tells("attempt 1 by agent-1", "attempt 1 over carrier: talked")
    assert len(await network.to(customer.user)) == 1
