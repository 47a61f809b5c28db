"""What `connect`, `OutboundCall`, `Telephony` and `Surveyor` promise, held by the scripted exchange and by Asterisk."""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING

import pytest

from controller.domain.evidence import AnsweredBy
from controller.domain.outcome import Outcome
from controller.ports.calls import CallerHungUp, Stage
from controller.ports.survey import Role
from tests.contract.calls.hands import SHORT, answered, begun, nothing, soon

if TYPE_CHECKING:
    from tests.contract.calls.exchange import Exchange

attempt_ids = (f"attempt{number}" for number in itertools.count(1))


async def test_two_who_are_joined_talk_until_either_hangs_up(exchange: Exchange) -> None:
    """True; it is noted once that they hear each other, and the one who is left is still there."""
    noted: list[str] = []

    async def note() -> None:
        noted.append("joined")

    for who_leaves in ("caller", "agent"):
        call, caller = await answered(exchange)
        async with exchange.agent_leg("answers") as leg:
            assert await soon(leg.dial()) is None
            agent = await exchange.rung()
            talking = await begun(call.connect(leg, on_joined=note))
            await (caller if who_leaves == "caller" else agent).hang_up()
            assert await soon(talking, 2) is True
            left = leg if who_leaves == "caller" else call
            await soon(left.play(SHORT))
    assert noted == ["joined", "joined"]


async def test_a_caller_on_hold_is_joined_and_can_be_held_again(exchange: Exchange) -> None:
    """Out of the music and back to it."""
    call, caller = await answered(exchange)
    holding = await begun(call.hold("main"))
    holding.cancel()
    await asyncio.gather(holding, return_exceptions=True)
    async with exchange.agent_leg("answers") as leg:
        await soon(leg.dial())
        agent = await exchange.rung()
        talking = await begun(call.connect(leg, on_joined=nothing))
        await agent.hang_up()
        assert await soon(talking, 2) is True
    await begun(call.hold("main"))
    assert await caller.hears_music()


async def test_nobody_is_joined_with_somebody_who_is_gone(exchange: Exchange) -> None:
    """False; nothing is noted, and the caller is where they were."""
    call, _ = await answered(exchange)
    async with exchange.agent_leg("answers") as leg:
        await soon(leg.dial())
        await (await exchange.rung()).hang_up()
        await soon(leg.gone())

        async def note() -> None:
            pytest.fail("they never heard each other")

        assert await soon(call.connect(leg, on_joined=note)) is False
    await soon(call.play(SHORT))


async def test_whoever_is_gone_can_join_nobody(exchange: Exchange) -> None:
    """It is a verb like the others for the party whose verb it is."""
    call, caller = await answered(exchange)
    async with exchange.agent_leg("answers") as leg:
        await soon(leg.dial())
        await caller.hang_up()
        await soon(call.gone())
        with pytest.raises(CallerHungUp):
            await soon(call.connect(leg, on_joined=nothing))
        await soon(leg.play(SHORT))


# -- calls that are placed


@pytest.mark.parametrize("to", ["agent", "customer"])
async def test_an_answered_call_can_be_talked_to_and_is_hung_up_when_its_context_is_left(
    exchange: Exchange, to: str
) -> None:
    """None: there is nothing to report."""
    leg_context = (
        exchange.agent_leg("answers")
        if to == "agent"
        else exchange.customer_leg("answers", attempt_id=next(attempt_ids))
    )
    async with leg_context as leg:
        assert await soon(leg.dial()) is None
        far_end = await exchange.rung()
        await soon(leg.play(SHORT))
    await soon(far_end.over())


@pytest.mark.parametrize("to", ["agent", "customer"])
async def test_a_busy_phone_is_busy(exchange: Exchange, to: str) -> None:
    """486, whether straight from the phone or through the network."""
    leg_context = (
        exchange.agent_leg("busy") if to == "agent" else exchange.customer_leg("busy", attempt_id=next(attempt_ids))
    )
    async with leg_context as leg:
        assert await soon(leg.dial()) is Outcome.BUSY


async def test_a_phone_that_nobody_answers_stops_ringing_when_the_time_is_over(exchange: Exchange) -> None:
    """No answer, and the phone is quiet. What was seen of it is kept."""
    async with exchange.customer_leg("ignores", attempt_id=next(attempt_ids), ring_timeout_s=0.8) as leg:
        assert await soon(leg.dial()) is Outcome.NO_ANSWER
        assert (leg.evidence.trunk, leg.evidence.rang) == (exchange.trunk, True)
        assert leg.evidence.answered_by is AnsweredBy.NOT_ASKED
        await soon((await exchange.rung()).over())


async def test_the_time_to_ring_is_over_with_the_answer(exchange: Exchange) -> None:
    """A PBX that listens for a machine takes longer than that, and brings the call to us only then."""
    async with exchange.customer_leg("answers", attempt_id=next(attempt_ids), ring_timeout_s=2, listens=True) as leg:
        assert await soon(leg.dial(), 10) is None
        assert (leg.evidence.answered_by, leg.evidence.timed_out) == (AnsweredBy.UNSURE, False)
        await soon(leg.play(SHORT))


async def test_a_call_that_is_cancelled_while_it_rings_stops_ringing(exchange: Exchange) -> None:
    """Before its context is left."""
    async with exchange.agent_leg("ignores") as leg:
        dialling = await begun(leg.dial())
        far_end = await exchange.rung()
        dialling.cancel()
        await asyncio.gather(dialling, return_exceptions=True)
        await soon(far_end.over())


async def test_a_number_that_the_gate_refuses_is_never_placed(exchange: Exchange) -> None:
    """Asked by the leg itself, in the last step."""
    async with exchange.customer_leg("answers", attempt_id=next(attempt_ids), number="+14155550123") as leg:
        assert await soon(leg.dial()) is Outcome.NOT_ALLOWED
    assert await exchange.successor() == []


async def test_a_leg_that_is_never_dialled_leaves_nothing_behind(exchange: Exchange) -> None:
    """Prepared, and not needed after all."""
    async with exchange.agent_leg("answers"):
        pass
    assert await exchange.successor() == []


# -- a number outside


async def test_a_caller_is_joined_with_a_number_outside(exchange: Exchange) -> None:
    """One that the settings name, whatever the number plan says of it; it sees our own number."""
    call, caller = await answered(exchange)
    async with exchange.external_leg("answers", for_call=call.id) as leg:
        assert await soon(leg.dial()) is None
        outside = await exchange.rung()
        assert outside.shown_number == exchange.service_number
        talking = await begun(call.connect(leg, on_joined=nothing))
        await caller.hang_up()
        assert await soon(talking, 2) is True
    await soon(outside.over())


async def test_a_number_outside_can_be_shown_the_callers(exchange: Exchange) -> None:
    """Where the network lets it pass."""
    async with exchange.external_leg("answers", for_call="call-1", shown_number="09012340001") as leg:
        assert await soon(leg.dial()) is None
        assert (await exchange.rung()).shown_number == "09012340001"


async def test_no_other_number_outside_is_ever_placed(exchange: Exchange) -> None:
    """Not even one that could be called back."""
    async with exchange.external_leg("answers", for_call="call-1", named=False) as leg:
        assert await soon(leg.dial()) is Outcome.NOT_ALLOWED
    assert await exchange.successor() == []


async def test_a_busy_number_outside_is_busy(exchange: Exchange) -> None:
    """The caller can then be told, and led elsewhere."""
    async with exchange.external_leg("busy", for_call="call-1") as leg:
        assert await soon(leg.dial()) is Outcome.BUSY


async def test_the_next_controller_finds_a_caller_with_a_number_outside(exchange: Exchange) -> None:
    """In one talk, and for whom it was rung."""
    call, _ = await answered(exchange)
    async with exchange.external_leg("answers", for_call=call.id) as leg:
        assert await soon(leg.dial()) is None
        talking = await begun(call.connect(leg, on_joined=nothing))
        found = {each.role: each for each in await exchange.successor()}
        talking.cancel()
        await asyncio.gather(talking, return_exceptions=True)
    assert set(found) == {Role.CALLER, Role.EXTERNAL}
    assert found[Role.EXTERNAL].for_call == call.id
    assert found[Role.EXTERNAL].joined_with == {call.id}
    assert found[Role.CALLER].joined_with == {found[Role.EXTERNAL].call.id}


# -- what the next controller finds


async def test_the_next_controller_finds_every_call_with_its_marks(exchange: Exchange) -> None:
    """Whose it is, how far it had come, for whom it was rung, and who talks with whom; and can go on with it."""
    call, _ = await answered(exchange)
    await call.remember(stage=Stage.LEAVING_NUMBER, queue="main", urgent="1")
    attempt_id = next(attempt_ids)
    async with (
        exchange.agent_leg("answers") as agent,
        exchange.customer_leg("answers", attempt_id=attempt_id, language="en") as customer,
    ):
        assert await soon(agent.dial()) is None
        assert await soon(customer.dial()) is None
        talking = await begun(customer.connect(agent, on_joined=nothing))
        found = {each.role: each for each in await exchange.successor()}
        # What the predecessor does on its way out reaches nobody any more.
        talking.cancel()
        await asyncio.gather(talking, return_exceptions=True)
    assert set(found) == {Role.CALLER, Role.AGENT, Role.CUSTOMER}
    caller = found[Role.CALLER]
    assert (caller.call.id, caller.stage, caller.queue, caller.joined_with) == (
        call.id,
        Stage.LEAVING_NUMBER,
        "main",
        frozenset(),
    )
    assert caller.call.facts == call.facts
    assert [each.urgent for each in found.values() if each.role is not Role.CALLER] == [False, False]
    assert caller.urgent
    assert (found[Role.AGENT].agent, found[Role.AGENT].for_call) == ("agent-1", "call-1")
    assert (found[Role.CUSTOMER].attempt_id, found[Role.CUSTOMER].queue) == (attempt_id, "main")
    assert found[Role.CUSTOMER].call.language == "en"
    assert found[Role.AGENT].joined_with == {found[Role.CUSTOMER].call.id}
    assert found[Role.CUSTOMER].joined_with == {found[Role.AGENT].call.id}
    await soon(caller.call.play(SHORT))
    await found[Role.AGENT].call.hang_up()
    await soon(found[Role.AGENT].call.gone())
