"""What the ports `Call`, `OutboundCall`, `Telephony` and `Surveyor` promise, held by the scripted exchange and by Asterisk.

The journeys are tested against the scripted one: it is worth as much as this suite.
"""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING

import pytest

from controller.domain.digits import ONE_KEY, PHONE_NUMBER
from controller.domain.outcome import Outcome
from controller.ports.calls import CallerHungUp, Stage
from controller.ports.survey import Role
from tests.contract.exchanges import Exchange, FarEnd, ScriptedExchange, asterisk_exchange

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from controller.ports.calls import Call

LONG = ("enter-number", "enter-number")
"""Prompts that last longer than anybody needs to press a key."""
SHORT = "digit-5"

attempt_ids = (f"attempt{number}" for number in itertools.count(1))


@pytest.fixture(scope="module", params=["scripted", "asterisk"])
async def opened(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Exchange]:
    """Open each exchange once."""
    if request.param == "scripted":
        yield ScriptedExchange()
    else:
        async with asterisk_exchange(tmp_path_factory.mktemp("site")) as exchange:
            yield exchange


@pytest.fixture
async def exchange(opened: Exchange) -> AsyncIterator[Exchange]:
    """Hand out an exchange on which nobody is on the line."""
    yield opened
    await opened.clear()


async def answered(exchange: Exchange) -> tuple[Call, FarEnd]:
    """Have somebody call, and answer."""
    call, far_end = await exchange.call_in()
    await call.answer()
    return call, far_end


async def nothing() -> None:
    """Note nothing."""


async def soon(what: Awaitable[object], within_s: float = 5) -> object:
    """Wait for something that must not take long."""
    async with asyncio.timeout(within_s):
        return await what


async def begun(what: Awaitable[object]) -> asyncio.Future[object]:
    """Begin a verb, and return once it is well under way."""
    task = asyncio.ensure_future(what)
    await asyncio.wait({task}, timeout=0.3)
    assert not task.done(), "it ended before anything could happen to it"
    return task


# -- a call that comes in


async def test_a_new_call_tells_who_called_and_what(exchange: Exchange) -> None:
    """And when: the place in line depends on it."""
    call, _ = await exchange.call_in()
    assert (call.facts.number, call.facts.dialled, call.language) == ("09012340001", "0312345678", "ja")
    assert call.facts.arrived_at.utcoffset() is not None


async def test_a_withheld_number_is_none(exchange: Exchange) -> None:
    """Not an empty text, and not "anonymous"."""
    call, _ = await exchange.call_in(withheld=True)
    assert call.facts.number is None


# -- play


async def test_prompts_are_played_to_their_end(exchange: Exchange) -> None:
    """One after the other: two take longer than one."""
    call, _ = await answered(exchange)
    loop = asyncio.get_running_loop()
    began = loop.time()
    await soon(call.play(SHORT))
    one_s = loop.time() - began
    await soon(call.play(SHORT, SHORT))
    assert loop.time() - began - one_s > 1.5 * one_s > 0.3


async def test_a_prompt_that_is_cancelled_stops_and_the_next_verb_works(exchange: Exchange) -> None:
    """Something better has come up."""
    call, _ = await answered(exchange)
    playing = await begun(call.play(*LONG))
    playing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await soon(playing, 1)
    await soon(call.play(SHORT), 3)


# -- keys


async def test_keys_pressed_during_a_prompt_are_kept_for_the_next_question(exchange: Exchange) -> None:
    """Type-ahead: who knows the menu does not have to wait for it."""
    call, far_end = await answered(exchange)
    playing = await begun(call.play(*LONG))
    await far_end.press("12")
    playing.cancel()
    await asyncio.gather(playing, return_exceptions=True)
    assert await soon(call.ask(*LONG, keypad=ONE_KEY), 2) == "1"
    assert await soon(call.hold("main", until_keys="2"), 2) == "2"


async def test_the_first_key_cuts_the_question_short(exchange: Exchange) -> None:
    """In a menu it is the answer."""
    call, far_end = await answered(exchange)
    asking = await begun(call.ask(*LONG, keypad=ONE_KEY))
    await far_end.press("7")
    assert await soon(asking, 1) == "7"


async def test_a_question_that_nobody_answers_ends_with_nothing(exchange: Exchange) -> None:
    """The time for the first key counts from the end of the prompt, not from its beginning."""
    call, _ = await answered(exchange)
    loop = asyncio.get_running_loop()
    began = loop.time()
    await soon(call.play(SHORT))
    prompt_s = loop.time() - began
    began = loop.time()
    assert await soon(call.ask(SHORT, keypad=ONE_KEY, first_key_timeout_s=0.5)) == ""
    assert loop.time() - began == pytest.approx(prompt_s + 0.5, abs=0.25)


async def test_a_question_without_prompts_waits_for_keys_all_the_same(exchange: Exchange) -> None:
    """Silence can be a question too."""
    call, far_end = await answered(exchange)
    asking = await begun(call.ask(keypad=ONE_KEY, first_key_timeout_s=5))
    await far_end.press("#")
    assert await soon(asking, 1) == "#"


async def test_a_number_is_ended_by_the_hash_and_by_a_pause(exchange: Exchange) -> None:
    """Digits in the order in which they were pressed."""
    call, far_end = await answered(exchange)
    asking = await begun(call.ask(*LONG, keypad=PHONE_NUMBER))
    await far_end.press("0901*0312345#")
    assert await soon(asking, 2) == "0312345"
    asking = await begun(call.ask(*LONG, keypad=PHONE_NUMBER, next_key_timeout_s=0.6))
    await far_end.press("0612")
    assert await soon(asking, 2) == "0612"


# -- hold


async def test_hold_returns_the_key_that_was_waited_for_and_passes_over_others(exchange: Exchange) -> None:
    """Music meanwhile."""
    call, far_end = await answered(exchange)
    holding = await begun(call.hold("main", until_keys="1"))
    assert await far_end.hears_music()
    await far_end.press("951")
    assert await soon(holding, 2) == "1"


async def test_a_caller_whose_hold_was_cancelled_stays_on_hold_until_another_verb(exchange: Exchange) -> None:
    """The music goes on, also after a prompt has been played over it."""
    call, far_end = await answered(exchange)
    holding = await begun(call.hold("main"))
    holding.cancel()
    await asyncio.gather(holding, return_exceptions=True)
    assert await far_end.hears_music()
    await soon(call.play(SHORT))
    assert await far_end.hears_music()


# -- hanging up


VERBS: dict[str, Callable[[Call], Awaitable[object]]] = {
    "answer": lambda call: call.answer(),
    "play": lambda call: call.play(*LONG),
    "ask": lambda call: call.ask(*LONG, keypad=ONE_KEY),
    "ask, after the prompt": lambda call: call.ask(keypad=ONE_KEY, first_key_timeout_s=60),
    "hold": lambda call: call.hold("main", until_keys="1"),
    "remember": lambda call: call.remember(stage=Stage.IN_LINE),
}


@pytest.mark.parametrize("verb", VERBS)
async def test_every_verb_raises_once_the_party_is_gone(exchange: Exchange, verb: str) -> None:
    """And again, as often as it is tried."""
    call, far_end = await answered(exchange)
    await far_end.hang_up()
    await soon(call.gone())
    for _ in range(2):
        with pytest.raises(CallerHungUp):
            await soon(VERBS[verb](call), 1)


@pytest.mark.parametrize("verb", ["play", "ask", "ask, after the prompt", "hold"])
async def test_a_verb_that_is_under_way_raises_when_the_party_hangs_up(exchange: Exchange, verb: str) -> None:
    """At once, not when its time is over."""
    call, far_end = await answered(exchange)
    doing = await begun(VERBS[verb](call))
    await far_end.hang_up()
    with pytest.raises(CallerHungUp):
        await soon(doing, 1)


async def test_hanging_up_ends_the_call_and_can_be_repeated(exchange: Exchange) -> None:
    """Also after the party has hung up."""
    call, far_end = await answered(exchange)
    await call.hang_up()
    await soon(far_end.over())
    await soon(call.gone())
    await call.hang_up()
    with pytest.raises(CallerHungUp):
        await call.play(SHORT)


# -- two calls


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
    """No answer, and the phone is quiet."""
    async with exchange.customer_leg("ignores", attempt_id=next(attempt_ids), ring_timeout_s=0.8) as leg:
        assert await soon(leg.dial()) is Outcome.NO_ANSWER
        await soon((await exchange.rung()).over())


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


# -- what the next controller finds


async def test_the_next_controller_finds_every_call_with_its_marks(exchange: Exchange) -> None:
    """Whose it is, how far it had come, for whom it was rung, and who talks with whom; and can go on with it."""
    call, _ = await answered(exchange)
    await call.remember(stage=Stage.LEAVING_NUMBER, queue="main")
    attempt_id = next(attempt_ids)
    async with (
        exchange.agent_leg("answers") as agent,
        exchange.customer_leg("answers", attempt_id=attempt_id) as customer,
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
    assert (found[Role.AGENT].agent, found[Role.AGENT].for_call) == ("agent-1", "call-1")
    assert (found[Role.CUSTOMER].attempt_id, found[Role.CUSTOMER].queue) == (attempt_id, "main")
    assert found[Role.AGENT].joined_with == {found[Role.CUSTOMER].call.id}
    assert found[Role.CUSTOMER].joined_with == {found[Role.AGENT].call.id}
    await soon(caller.call.play(SHORT))
    await found[Role.AGENT].call.hang_up()
    await soon(found[Role.AGENT].call.gone())
