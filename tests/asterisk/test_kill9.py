"""The controller is killed in the middle of everything, and comes back: nobody was dropped, lost or dialled twice."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.phone import Answer, Ignore
from tests.asterisk.floor import AGENT_HZ, CALLER_HZ

if TYPE_CHECKING:
    from lab.phone import Phone, PhoneCall
    from tests.asterisk.floor import Floor


@dataclass
class BusyMoment:
    """Two talk, one promise is being dialled, two hold, one promise waits; the callers came in this order."""

    talk: PhoneCall
    talk_leg: PhoneCall
    dialled: Phone
    dialled_promise: str
    agent_leg: PhoneCall
    ringing: PhoneCall
    holds_first: PhoneCall
    holds_second: PhoneCall
    waiting: Phone
    waiting_promise: str

    @classmethod
    async def of(cls, floor: Floor) -> BusyMoment:
        """Bring it about."""
        talker, dialled, first, second, waiting = (floor.customer() for _ in range(5))
        agent_1 = await floor.signed_in(0)
        talk = await floor.calling(talker)
        talk_leg = await agent_1.rings()
        talk.talk(CALLER_HZ)
        await asyncio.gather(talk.heard.until_tone(AGENT_HZ), talk_leg.heard.until_tone(CALLER_HZ))
        dialled_promise = await floor.promised(dialled)
        holds_first = await floor.holding(first)
        holds_second = await floor.holding(second)
        waiting_promise = await floor.promised(waiting)
        dialled.when_rung = Ignore()
        agent_leg = await (await floor.signed_in(1)).rings()
        return cls(
            talk,
            talk_leg,
            dialled,
            dialled_promise,
            agent_leg,
            await dialled.rings(),
            holds_first,
            holds_second,
            waiting,
            waiting_promise,
        )

    @property
    def calls(self) -> tuple[PhoneCall, ...]:
        """Whoever can hear something."""
        return self.talk, self.talk_leg, self.holds_first, self.holds_second, self.agent_leg


async def served_next(floor: Floor, caller: PhoneCall) -> None:
    """See that the second agent's next call is this caller, who then hangs up."""
    leg = await floor.agents[1].rings()
    await caller.heard.until_tone(AGENT_HZ)
    await caller.hang_up()
    await leg.ended


async def confirmed(floor: Floor, callback: PhoneCall) -> None:
    """Listen to who calls, and press 1."""
    await callback.answered()
    await floor.heard(callback, "callback-confirm")
    await callback.press("1")
    callback.talk(CALLER_HZ)
    await callback.heard.until_tone(AGENT_HZ)


async def test_kill_9_while_two_talk_two_hold_one_is_being_dialled_and_one_promise_waits(floor: Floor) -> None:
    """Nobody is cut off, nobody loses their place, no promise is lost or dialled twice."""
    moment = await BusyMoment.of(floor)
    died_at = {call: call.heard.duration_s for call in moment.calls}
    await floor.stack.controller.kill9()
    # While nobody is in control: music, and the talk goes on.
    for call, at in died_at.items():
        await call.heard.until_sound(from_s=at + 2.0)
    await floor.stack.controller.start()

    # The customer whose phone rang all the while answers, and is joined with the agent who waited.
    await moment.ringing.answer()
    await confirmed(floor, moment.ringing)
    await moment.agent_leg.heard.until_tone(CALLER_HZ, from_s=died_at[moment.agent_leg])
    await moment.ringing.hang_up()
    await moment.agent_leg.ended
    await floor.promise_is(moment.dialled_promise, "fulfilled")

    # Whoever held is served in the order in which they came, and then the promise that waited.
    await served_next(floor, moment.holds_first)
    assert moment.holds_second.ending is None
    await served_next(floor, moment.holds_second)
    moment.waiting.when_rung = Answer()
    callback = await moment.waiting.rings()
    await confirmed(floor, callback)
    await callback.hang_up()
    await floor.promise_is(moment.waiting_promise, "fulfilled")

    assert moment.talk.ending is None
    assert len(floor.agents[0].calls) == 1, "the agent who talked was rung meanwhile"
    for call in (moment.talk, moment.talk_leg):
        assert call.heard.longest_silence_s(died_at[call]) < 0.5
    for call in (moment.holds_first, moment.holds_second):
        assert call.heard.longest_silence_s() < 2.0
    for phone in (moment.dialled, moment.waiting):
        assert len([call for call in phone.calls if call.incoming]) == 1
    endings = {row["number"]: row["ending"] for row in floor.rows("select number, ending from calls")}
    assert [endings[phone.user] for phone in (moment.dialled, moment.waiting)] == ["promised", "promised"]


async def test_kill_9_while_a_caller_keys_a_number_keeps_their_place_and_offers_again(floor: Floor) -> None:
    """What was playing is stopped, the caller is back in line, and nothing was promised."""
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
    """The dialplan keeps them until the controller is back; the phone rang once."""
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
