"""In line, on a real Asterisk with real phones: what is heard beside the music, the limits, who rings back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from controller.journeys import spoken
from lab.audio import looks_like_music, tone_share
from lab.phone import Answer, PhoneShelf, Side
from lab.stack import running_stack
from tests.asterisk.conftest import EXPECTED_COMPLAINTS
from tests.asterisk.floor import Floor, e164
from tests.asterisk.in_line_site import (
    GREETING,
    HIGH_HZ,
    LOW_HZ,
    SERVED,
    Centre,
    in_line_settings,
    own_music,
    rung,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

NO_SUCH_MUSIC = "no-such-music"


@pytest.fixture(scope="module")
async def running_floor(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Floor]:
    """Start everything once for the tests of this file, with hold music of the admin's own."""
    home = tmp_path_factory.mktemp("site")
    with own_music(home):
        async with running_stack(home, edit=in_line_settings) as stack, PhoneShelf() as shelf:
            yield await Floor.furnished(stack, shelf)


@pytest.fixture
async def centre(running_floor: Floor) -> AsyncIterator[Centre]:
    """Give a test everything with every phone on the hook; afterwards Asterisk complains of the one class alone."""
    yield Centre(running_floor)
    async with asyncio.timeout(20):
        await running_floor.clear()
    known = (*EXPECTED_COMPLAINTS, NO_SUCH_MUSIC)
    assert [line for line in running_floor.stack.pbx.complaints if not any(words in line for words in known)] == []


# -- music and announcements


async def test_each_queue_has_its_own_music_and_a_class_that_is_not_there_is_told_and_replaced(centre: Centre) -> None:
    """From the admin's own files; nobody meets silence, and the log names the class at the start."""
    low, high, lost = [await centre.waits(queue) for queue in ("low", "high", "nowhere")]
    greeted_s = await centre.hears(lost, GREETING) + 1
    await asyncio.gather(low.call.heard.until_tone(LOW_HZ), high.call.heard.until_tone(HIGH_HZ))
    begins_s = await lost.call.heard.until_sound(from_s=greeted_s)
    await lost.call.heard.until_sound(from_s=begins_s + 4)
    instead = lost.call.heard.slice(begins_s, begins_s + 4)
    assert looks_like_music(instead)
    assert max(tone_share(instead, hz) for hz in (LOW_HZ, HIGH_HZ)) < 0.5
    found = await centre.floor.stack.controller.logged(
        "the PBX lacks hold music; callers hear its default in its place"
    )
    assert found["classes"] == [NO_SUCH_MUSIC]


async def test_the_place_is_told_and_moves_up(centre: Centre) -> None:
    """In whole sentences; the queue log has the place at the end and the one at the beginning."""
    first, second = await centre.waits("places"), await centre.waits("places")
    at = await centre.hears(second, *spoken.place(2))
    await centre.hears(first, *spoken.place(1))
    await centre.goes(first)
    await centre.hears(second, *spoken.place(1), from_s=at)
    await centre.goes(second)
    assert await centre.story(first.id, 2) == [first.entered("places", 1), "places NONE ABANDON 1 1 s"]
    assert await centre.story(second.id, 2) == [second.entered("places", 2), "places NONE ABANDON 1 2 s"]


async def test_the_wait_that_is_heard_is_recorded_and_held_against_the_true_one(centre: Centre) -> None:
    """A range in minutes. With the only agent on a call there is somebody to wait for."""
    talking = await centre.waits("support")
    agent = await centre.floor.signed_in()
    leg = await centre.talks(agent, talking)
    waiting = await centre.waits("told")
    at = await centre.hears(waiting, *spoken.place(1))
    (told,) = centre.rows("select quoted_low_s, quoted_high_s from calls where id = ?", waiting.id)
    assert 0 <= told["quoted_low_s"] < told["quoted_high_s"]
    await centre.hears(waiting, *spoken.wait(told["quoted_low_s"], told["quoted_high_s"]), from_s=at)
    await talking.call.hang_up()
    await leg.ended
    await centre.served(agent, waiting)
    assert await centre.ending(waiting) == "served"
    tally = (await centre.told_by("waits"))["queues"]["told"]
    sooner = told["quoted_low_s"] >= 60
    assert (tally["below"], tally["within"], tally["above"]) == (int(sooner), int(not sooner), 0)
    assert tally["mean_width_s"] == told["quoted_high_s"] - told["quoted_low_s"]


async def test_the_key_cuts_announcements_short_and_the_number_is_asked_for_at_once(centre: Centre) -> None:
    """With nobody on duty the wait is said to be unknown, and then the offer comes: neither is heard out."""
    caller = await centre.waits("told")
    await centre.hears(caller, *spoken.place(1))
    await caller.call.press("1")
    await centre.hears(caller, "offer-calling-number")
    assert not centre.has_heard(caller, "hold-offer")
    await centre.goes(caller)
    assert await centre.story(caller.id, 2) == [caller.entered("told", 1), "told NONE ABANDON 1 1 s"]


async def test_the_offer_is_made_at_once_by_the_wait_on_key_alone_or_never(centre: Centre) -> None:
    """While the only agent talks. Who is told nothing can use the key all the same, unless there is no offer."""
    talking = await centre.waits("support")
    await centre.talks(await centre.floor.signed_in(), talking)
    names = ("at-once", "long-waits", "short-waits", "on-key", "places")
    callers = {name: await centre.waits(name) for name in names}
    untold = [callers[name] for name in ("short-waits", "on-key", "places")]

    async def hears_the_place_twice(name: str) -> None:
        at = await centre.hears(callers[name], *spoken.place(1))
        await centre.hears(callers[name], *spoken.place(1), from_s=at + 1)

    await asyncio.gather(
        centre.hears(callers["at-once"], "hold-offer", "offer"),
        centre.hears(callers["long-waits"], *spoken.place(1), "hold-offer"),
        *(hears_the_place_twice(name) for name in ("short-waits", "on-key", "places")),
    )
    assert [prompt for one in untold for prompt in ("hold-offer", "offer") if centre.has_heard(one, prompt)] == []
    pressed_s = callers["places"].call.heard.duration_s
    await callers["places"].call.press("1")
    await callers["on-key"].call.press("1")
    await centre.hears(callers["on-key"], "offer-calling-number")
    await centre.hears(callers["places"], *spoken.place(1), from_s=pressed_s + 2)
    assert not centre.has_heard(callers["places"], "offer-calling-number")


# -- limits


async def test_who_waited_too_long_is_told_so_and_stands_in_another_line(centre: Centre) -> None:
    """An agent who comes then serves them there."""
    caller = await centre.waits("patient")
    await centre.hears(caller, "max-wait")
    assert (await centre.story(caller.id, 3))[1:] == [
        "patient NONE EXITWITHTIMEOUT 1 1 s",
        caller.entered("support", 1),
    ]
    await centre.served(await centre.floor.signed_in(), caller)
    assert (await centre.story(caller.id, 5))[3:] == SERVED
    assert await centre.ending(caller) == "served"


async def test_one_too_many_and_who_would_wait_too_long_go_elsewhere(centre: Centre) -> None:
    """Told that the line is full. They never stood in it, and who did stands there still, and is served."""
    talking = await centre.waits("support")
    agent = await centre.floor.signed_in()
    await centre.talks(agent, talking)
    holding = await centre.waits("small")
    turned_away = [await centre.calls(centre.customer(), queue) for queue in ("small", "overflowing")]
    await asyncio.gather(*(centre.hears(caller, "line-full", "goodbye") for caller in turned_away))
    assert [await centre.ending(caller) for caller in turned_away] == ["informed", "informed"]
    await talking.call.hang_up()
    await centre.served(agent, holding)
    assert len(await centre.story(holding.id, 3)) == 3
    assert [await centre.story(caller.id, 0) for caller in turned_away] == [[], []]


async def test_when_the_last_agent_leaves_who_waits_goes_elsewhere_and_so_does_who_comes(centre: Centre) -> None:
    """The agent's phone goes while they talk: the talk goes on, and they are off duty after it."""
    talking = await centre.waits("support")
    agent = await centre.floor.signed_in()
    leg = await centre.talks(agent, talking)
    waiting = await centre.waits("staffed")
    await agent.unregister()
    await talking.call.hang_up()
    await leg.ended
    await centre.hears(waiting, "no-agents", "goodbye")
    assert await centre.ending(waiting) == "informed"
    assert await centre.story(waiting.id, 2) == [waiting.entered("staffed", 1), "staffed NONE EXITEMPTY 1 1 s"]
    late = await centre.calls(centre.customer(), "staffed")
    await centre.hears(late, "no-agents")
    await centre.goes(late)
    assert await centre.story(late.id, 0) == []


# -- the order


async def test_an_urgent_caller_is_served_before_one_who_came_earlier_and_the_audit_says_why(centre: Centre) -> None:
    """And who was passed by it."""
    earlier = await centre.waits("support")
    urgent = await centre.calls(centre.customer(), "urgent")
    await centre.hears(urgent, "urgent-connecting")
    agent = await centre.floor.signed_in()
    await centre.served(agent, urgent)
    await centre.served(agent, earlier)
    first, second = await centre.decisions(urgent.id, earlier.id)
    assert (first["waiter_id"], first["reason"], first["passed"]) == (urgent.id, "urgent", [earlier.id])
    assert (second["waiter_id"], second["reason"], second["passed"]) == (earlier.id, "arrival", [])
    assert (first["queue"], first["kind"], first["agent"], first["place"]) == ("support", "live", "agent-1", 1)
    assert await centre.story(urgent.id, 3) == [urgent.entered("support", 1), *SERVED]


async def test_an_agent_of_two_queues_serves_promise_and_callers_as_they_came(centre: Centre) -> None:
    """A promise is called before two callers who hold and came later, whatever their queues."""
    customer = centre.customer()
    promise_id, _ = await centre.promised(customer)
    second, third = await centre.waits("cards"), await centre.waits("support")
    customer.when_rung = Answer()
    agent = await centre.floor.signed_in()
    await centre.called_back(agent, customer)
    await centre.served(agent, second)
    await centre.served(agent, third)
    await centre.floor.promise_is(promise_id, "fulfilled")
    made = await centre.decisions(promise_id, second.id, third.id)
    assert [(one["waiter_id"], one["kind"], one["queue"], one["place"]) for one in made] == [
        (promise_id, "promise", "support", 1),
        (second.id, "live", "cards", 1),
        (third.id, "live", "support", 1),
    ]
    assert {(one["reason"], tuple(one["passed"])) for one in made} == {("arrival", ())}
    # A promise is in line too: who came second has the second place, in a queue of its own the first.
    assert (await centre.story(second.id, 1))[0] == second.entered("cards", 1)
    assert (await centre.story(third.id, 1))[0] == third.entered("support", 2)


# -- who rings back


async def test_who_rings_back_keeps_the_place_before_one_who_came_between_and_is_not_called(centre: Centre) -> None:
    """Served, the promise is kept."""
    customer = centre.customer()
    before = rung(customer)
    promise_id, left = await centre.promised(customer)
    between = await centre.waits("support")
    back = await centre.calls(customer, "support")
    await centre.hears(back, "welcome-back")
    agent = await centre.floor.signed_in()
    await centre.served(agent, back)
    await centre.served(agent, between)
    (promise,) = centre.rows("select state, attempts_used from promises where id = ?", promise_id)
    assert (promise["state"], promise["attempts_used"], rung(customer)) == ("fulfilled", 0, before)
    assert await centre.story(left.id, 2) == [left.entered("support", 1), "support NONE EXITWITHKEY 1 1 1 s"]
    assert await centre.story(back.id, 3) == [back.entered("support", 1), *SERVED]
    assert (await centre.story(between.id, 3))[0] == between.entered("support", 2)


async def test_a_dial_on_its_way_is_withdrawn_when_the_same_phone_calls_in(centre: Centre) -> None:
    """It stops ringing, the agent hears why, and then they talk: the promise is kept with no attempt used."""
    customer = centre.customer()
    before = rung(customer)
    promise_id, _ = await centre.promised(customer)
    agent = await centre.floor.signed_in()
    leg, ringing = await agent.rings(), await customer.rings()
    back = await centre.calls(customer, "support")
    ending = await ringing.ended
    assert ending.by is Side.THERE
    await centre.floor.heard(leg, "agent-withdrawn")
    await leg.ended
    await centre.served(agent, back)
    await centre.floor.call_ended(back.id)
    (promise,) = centre.rows("select state, attempts_used from promises where id = ?", promise_id)
    (attempt,) = centre.rows("select outcome from attempts where promise_id = ?", promise_id)
    assert (promise["state"], promise["attempts_used"], attempt["outcome"]) == ("fulfilled", 0, "withdrawn")
    assert rung(customer) == before + 1
    assert await centre.story(back.id, 3) == [back.entered("support", 1), *SERVED]


async def test_who_rings_back_and_gives_up_is_called_as_before(centre: Centre) -> None:
    """The callback has a call of its own in the queue log."""
    customer = centre.customer()
    before = rung(customer)
    promise_id, _ = await centre.promised(customer)
    back = await centre.calls(customer, "support")
    await centre.hears(back, "welcome-back")
    await centre.goes(back)
    assert (await centre.story(back.id, 2))[1] == "support NONE ABANDON 1 1 s"
    customer.when_rung = Answer()
    await centre.called_back(await centre.floor.signed_in(), customer)
    await centre.floor.promise_is(promise_id, "fulfilled")
    assert rung(customer) == before + 1
    assert await centre.callback_story(customer, 3) == [f"support NONE ENTERQUEUE - {e164(customer.user)} 1", *SERVED]


async def test_who_hangs_up_in_line_after_a_while_is_sent_an_sms_and_sooner_is_not(centre: Centre) -> None:
    """Recapture; both have abandoned their call."""
    stayed, hasty = await centre.waits("missed"), await centre.waits("hasty")
    began_s = await stayed.call.heard.until_tone(LOW_HZ)
    await stayed.call.heard.until_tone(LOW_HZ, from_s=began_s + 2.5)
    for caller in (stayed, hasty):
        await centre.goes(caller)
        assert await centre.ending(caller) == "abandoned"
    await centre.until(lambda: bool(centre.floor.sent_sms(stayed.phone)))
    assert len(centre.floor.sent_sms(stayed.phone)) == 1
    assert [row["queue"] for row in centre.rows("select queue from sms_outbox")] == ["missed"]
    assert (await centre.story(hasty.id, 2))[1] == "hasty NONE ABANDON 1 1 s"
