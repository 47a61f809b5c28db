"""The main job, on a real Asterisk with real phones: hold, leave a number, be called back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from lab.audio import looks_like_music, tone_share
from lab.phone import Answer, Busy, Ignore
from tests.asterisk.floor import AGENT_HZ, CALLER_HZ, e164

if TYPE_CHECKING:
    from lab.phone import Phone, PhoneCall
    from tests.asterisk.floor import Floor


A_DIGIT_S = 0.3
"""A spoken digit is longer than this, so the next one begins later."""


async def hear_each_other(agent: PhoneCall, caller: PhoneCall) -> None:
    """Both say their tone, and both hear the other's."""
    caller.talk(CALLER_HZ)
    await asyncio.gather(caller.heard.until_tone(AGENT_HZ), agent.heard.until_tone(CALLER_HZ))


async def no_longer_needed(floor: Floor, customer: Phone) -> None:
    """Call the customer back, who presses 3: the promise is cancelled, and they are told so."""
    (promise,) = floor.rows("select id, state from promises where number = ?", e164(customer.user))
    assert promise["state"] == "waiting"
    customer.when_rung = Answer()
    await floor.signed_in()
    callback = await customer.rings()
    await callback.answered()
    await callback.press("3")
    await floor.heard(callback, "cancelled")
    await callback.ended
    await floor.promise_is(promise["id"], "cancelled")


async def test_a_caller_hears_music_until_an_agent_is_there_and_then_both_hear_each_other(floor: Floor) -> None:
    """Music is sound that moves about; the talk is two tones, each heard at the other end."""
    caller = await floor.holding(floor.customer())
    offered_s = caller.heard.duration_s
    await caller.heard.until_sound(from_s=offered_s + 1.5)
    agent = await floor.signed_in()
    joined_s = caller.heard.duration_s
    leg = await agent.rings()
    assert leg.caller_id.number.endswith(floor.customers[0].user[1:])
    await hear_each_other(leg, caller)
    assert looks_like_music(caller.heard.slice(offered_s, joined_s))
    assert caller.heard.longest_silence_s(to_s=joined_s) < 1.0
    await caller.hang_up()
    await leg.ended
    (row,) = floor.rows("select * from calls order by arrived_at desc limit 1")
    assert (row["agent"], row["queue"]) == ("agent-1", "support")


async def test_a_caller_who_leaves_the_shown_number_is_called_back_and_joined_with_the_agent(floor: Floor) -> None:
    """The number is read back digit by digit before it is taken."""
    customer = floor.customer()
    call = await floor.holding(customer)
    await call.press("1")
    at = await floor.heard(call, "offer-calling-number")
    for digit in customer.user:
        at = await floor.heard(call, f"digit-{digit}", from_s=at + A_DIGIT_S)
    await floor.heard(call, "use-this-number", from_s=at)
    await call.press("1")
    await floor.heard(call, "promise-made")
    await call.ended

    customer.when_rung = Answer(after_s=0.2)
    leg = await (await floor.signed_in()).rings()
    callback = await customer.rings()
    await callback.answered()
    assert callback.caller_id.number == floor.stack.site.service_number
    await floor.heard(callback, "callback-confirm")
    await callback.press("1")
    await hear_each_other(leg, callback)
    await callback.hang_up()
    await leg.ended
    (promise,) = floor.rows("select id from promises where number = ?", e164(customer.user))
    await floor.promise_is(promise["id"], "fulfilled")


async def test_another_number_is_keyed_read_back_confirmed_and_called(floor: Floor) -> None:
    """The callback goes to the keyed number, not to the one that called."""
    caller, other = floor.customer(), floor.customer()
    call = await floor.calling(caller)
    await call.press("1")
    await floor.heard(call, "offer-calling-number")
    await call.press("2")
    await floor.heard(call, "enter-number")
    await call.press(f"{other.user}#")
    at = await floor.heard(call, "you-entered")
    for digit in other.user:
        at = await floor.heard(call, f"digit-{digit}", from_s=at + A_DIGIT_S)
    await call.press("1")
    await floor.heard(call, "promise-made")
    await call.ended

    await no_longer_needed(floor, other)
    assert [call for call in caller.calls if call.incoming] == []


async def test_an_anonymous_caller_is_asked_for_a_number_at_once(floor: Floor) -> None:
    """There is no number to offer."""
    caller = floor.customer()
    call = await caller.dial("184" + floor.stack.site.service_number, timeout_s=20)
    await call.answered()
    await call.press("1")
    await floor.heard(call, "enter-number")
    await call.press(f"{caller.user}#")
    await floor.heard(call, "you-entered")
    await call.press("1")
    await floor.heard(call, "promise-made")
    await call.ended
    await no_longer_needed(floor, caller)


async def test_a_busy_customer_is_called_again_and_a_promise_is_kept_at_the_second_try(floor: Floor) -> None:
    """486 from the phone is the outcome busy, and the policy's gap follows."""
    customer = floor.customer()
    promise_id = await floor.promised(customer)
    customer.when_rung = Busy()
    await floor.signed_in()
    first = await customer.rings()
    await first.ended
    customer.when_rung = Answer(tone_hz=CALLER_HZ)
    second = await customer.rings()
    await second.answered()
    await second.press("1")
    await second.heard.until_tone(AGENT_HZ)
    await second.hang_up()
    await floor.promise_is(promise_id, "fulfilled")
    outcomes = [row["outcome"] for row in floor.rows("select outcome from attempts where promise_id = ?", promise_id)]
    assert sorted(outcomes) == ["busy", "talked"]


async def test_a_customer_who_never_answers_is_tried_as_often_as_the_policy_says_and_gets_one_sms(
    floor: Floor,
) -> None:
    """Two attempts, two INVITEs at the phone."""
    customer = floor.customer()
    promise_id = await floor.promised(customer)
    customer.when_rung = Ignore()
    await floor.signed_in()
    await floor.promise_is(promise_id, "exhausted")
    rung = [call for call in customer.calls if call.incoming]
    assert len(rung) == 2
    await floor.stack.controller.logged("sms_sent", where=lambda line: promise_id in line["sms"])
    assert floor.sent_sms(customer) != []


async def test_who_arrived_first_is_served_first_whether_on_the_phone_or_not(floor: Floor) -> None:
    """A promise keeps the place of the caller who left it."""
    absent, present = floor.customer(), floor.customer()
    promise_id = await floor.promised(absent)
    waiting = await floor.holding(present)
    absent.when_rung = Answer()
    agent = await floor.signed_in()
    first = await agent.rings()
    callback = await absent.rings()
    await callback.answered()
    await callback.press("1")
    await callback.heard.until_tone(AGENT_HZ)
    await callback.hang_up()
    await first.ended
    await floor.promise_is(promise_id, "fulfilled")
    second = await agent.rings()
    await hear_each_other(second, waiting)


async def test_an_agent_who_does_not_answer_is_left_in_peace_and_the_caller_keeps_the_music(floor: Floor) -> None:
    """The next agent is rung; the caller notices nothing."""
    caller = await floor.holding(floor.customer())
    sleeping = await floor.signed_in(0, answers=False)
    ignored = await sleeping.rings()
    awake = await floor.signed_in(1)
    await ignored.ended
    leg = await awake.rings()
    await hear_each_other(leg, caller)
    heard = caller.heard
    assert heard.longest_silence_s() < 1.0


async def test_garbage_keys_and_hang_ups_anywhere_leave_nothing_behind(floor: Floor) -> None:
    """No call, no channel and no bridge is left."""
    keys = ["*#*#", "1*", "12#", "12090", "1290123456789012345#1", "12110#", "1", "12", "99999"]
    phones = [floor.customers[-1 - index] for index in range(len(keys))]
    calls = [await floor.calling(phone) for phone in phones]
    await asyncio.gather(*(call.press(pressed) for call, pressed in zip(calls, keys, strict=True)))
    for call in calls:
        await call.hang_up()
    await floor.clear()
    assert floor.rows("select id from calls where ending is null") == []
    assert "0 active channels" in await floor.stack.pbx.cli("core show channels")
    bridges = await floor.stack.pbx.cli("bridge show all")
    assert "talk-" not in bridges


async def test_a_number_that_may_not_be_dialled_is_refused_with_the_reason(floor: Floor) -> None:
    """Freephone numbers are not called back."""
    call = await floor.calling(floor.customer())
    await call.press("1")
    await floor.heard(call, "offer-calling-number")
    await call.press("2")
    await floor.heard(call, "enter-number")
    await call.press("0120123456#")
    await floor.heard(call, "number-freephone")
    assert tone_share(call.heard.slice(), AGENT_HZ) < 0.5
