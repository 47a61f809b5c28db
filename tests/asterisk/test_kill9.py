"""The controller is killed in the middle of everything, and comes back: nobody was dropped, lost or dialled twice."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from lab.phone import Answer, Ignore
from tests.asterisk.floor import AGENT_HZ, CALLER_HZ

if TYPE_CHECKING:
    from tests.asterisk.floor import Floor


async def test_kill_9_while_two_talk_two_hold_one_is_being_dialled_and_one_promise_waits(floor: Floor) -> None:
    controller = floor.stack.controller
    talker, dialled, first, second, waiting = (floor.customer() for _ in range(5))

    # Two talk.
    agent_1 = await floor.signed_in(0)
    talk = await floor.calling(talker)
    talk_leg = await agent_1.rings()
    talk.talk(CALLER_HZ)
    await asyncio.gather(talk.heard.until_tone(AGENT_HZ), talk_leg.heard.until_tone(CALLER_HZ))
    # One is promised a call, two hold, one more is promised a call: in this order.
    dialled_promise = await floor.promised(dialled)
    holds_first = await floor.holding(first)
    holds_second = await floor.holding(second)
    waiting_promise = await floor.promised(waiting)
    # The first promise is being dialled: the agent waits, the customer's phone rings.
    dialled.when_rung = Ignore()
    agent_2 = await floor.signed_in(1)
    agent_leg = await agent_2.rings()
    ringing = await dialled.rings()

    died_at = {call: call.heard.duration_s for call in (talk, talk_leg, holds_first, holds_second, agent_leg)}
    await controller.kill9()
    # While nobody is in control: music, and the talk goes on.
    for call, at in died_at.items():
        await call.heard.until_sound(from_s=at + 2.0)
    await controller.start()

    # The ringing customer answers and is joined with the agent who was waiting.
    await ringing.answer()
    await ringing.answered()
    await floor.heard(ringing, "callback-confirm")
    await ringing.press("1")
    ringing.talk(CALLER_HZ)
    await asyncio.gather(
        ringing.heard.until_tone(AGENT_HZ), agent_leg.heard.until_tone(CALLER_HZ, from_s=died_at[agent_leg])
    )
    await ringing.hang_up()
    await agent_leg.ended
    await floor.promise_is(dialled_promise, "fulfilled")

    # Whoever held is served, in the order in which they came, and then the promise that waited.
    next_leg = await agent_2.rings()
    await holds_first.heard.until_tone(AGENT_HZ)
    assert holds_second.ending is None
    await holds_first.hang_up()
    await next_leg.ended
    next_leg = await agent_2.rings()
    await holds_second.heard.until_tone(AGENT_HZ)
    await holds_second.hang_up()
    await next_leg.ended
    waiting.when_rung = Answer()
    last_leg = await agent_2.rings()
    called_back = await waiting.rings()
    await called_back.answered()
    await called_back.press("1")
    await called_back.heard.until_tone(AGENT_HZ)
    await called_back.hang_up()
    await last_leg.ended
    await floor.promise_is(waiting_promise, "fulfilled")

    # The talk was never cut, and the agent who talked was not rung meanwhile.
    end_s = talk.heard.duration_s
    assert talk.ending is None
    assert len(agent_1.calls) == 1
    assert talk.heard.longest_silence_s(died_at[talk], end_s) < 0.5
    assert talk_leg.heard.longest_silence_s(died_at[talk_leg]) < 0.5
    assert holds_first.heard.longest_silence_s() < 2.0
    assert holds_second.heard.longest_silence_s() < 2.0
    await talk.hang_up()
    await talk_leg.ended
    for phone in (dialled, waiting):
        assert len([call for call in phone.calls if call.incoming]) == 1
    endings = {row["number"]: row["ending"] for row in floor.rows("select number, ending from calls")}
    assert [endings[phone.user] for phone in (dialled, waiting)] == ["promised", "promised"]


async def test_kill_9_while_a_caller_keys_a_number_keeps_their_place_and_offers_again(floor: Floor) -> None:
    controller = floor.stack.controller
    caller = floor.customer()
    call = await floor.calling(caller)
    await call.press("1")
    await floor.heard(call, "offer-calling-number")
    await controller.kill9()
    await controller.start()
    again_s = call.heard.duration_s
    await floor.heard(call, "hold-offer", from_s=again_s)
    agent = await floor.signed_in(0)
    await agent.rings()
    await call.heard.until_tone(AGENT_HZ)
    assert floor.rows("select id from promises where number = ?", "+81" + caller.user[1:]) == []


async def test_a_customer_who_answers_while_the_controller_is_dead_waits_with_music_and_is_joined(
    floor: Floor,
) -> None:
    controller = floor.stack.controller
    customer = floor.customer()
    promise_id = await floor.promised(customer)
    customer.when_rung = Ignore()
    agent = await floor.signed_in(0)
    leg = await agent.rings()
    ringing = await customer.rings()
    await controller.kill9()
    await ringing.answer()
    await ringing.answered()
    await floor.heard(ringing, "please-wait")
    await controller.start()
    await floor.heard(ringing, "callback-confirm", timeout_s=30)
    await ringing.press("1")
    ringing.talk(CALLER_HZ)
    await asyncio.gather(ringing.heard.until_tone(AGENT_HZ), leg.heard.until_tone(CALLER_HZ))
    await ringing.hang_up()
    await leg.ended
    await floor.promise_is(promise_id, "fulfilled")
    assert len([call for call in customer.calls if call.incoming]) == 1
