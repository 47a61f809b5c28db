"""Language, music, where a call comes from: what a channel carries, held by the scripted exchange and by Asterisk."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from controller.domain.digits import ONE_KEY
from controller.ports.calls import Stage
from controller.ports.survey import Role
from tests.contract.calls.exchange import OWN_MUSIC
from tests.contract.calls.hands import SHORT, answered, begun, nothing, soon

if TYPE_CHECKING:
    from tests.contract.calls.exchange import Exchange, FarEnd


async def hears(far_end: FarEnd, prompt: str, language: str, playing: asyncio.Future[object]) -> None:
    """Listen to a prompt that has just begun, to its end."""
    assert await far_end.hears(prompt, language)
    await soon(playing)


# -- language


async def test_prompts_are_in_the_language_that_the_caller_chose(exchange: Exchange) -> None:
    """From the next prompt on, whatever the number that was dialled would mean."""
    call, far_end = await answered(exchange)
    await hears(far_end, "welcome", "ja", await begun(call.play("welcome")))
    await call.remember(language="en")
    assert call.language == "en"
    await hears(far_end, "goodbye", "en", await begun(call.play("goodbye")))


async def test_another_mark_leaves_the_language_alone(exchange: Exchange) -> None:
    """The next stage of a caller who chose one."""
    call, far_end = await answered(exchange)
    await call.remember(language="en")
    await call.remember(stage=Stage.IN_LINE, queue="main")
    assert call.language == "en"
    await hears(far_end, "welcome", "en", await begun(call.play("welcome")))


async def test_the_next_controller_goes_on_in_the_language_that_was_chosen(exchange: Exchange) -> None:
    """It asks nobody again."""
    call, far_end = await answered(exchange)
    await call.remember(language="en", queue="main")
    (found,) = await exchange.successor()
    assert found.call.language == "en"
    await hears(far_end, "welcome", "en", await begun(found.call.play("welcome")))


# -- music


@pytest.mark.parametrize(("queue", "music"), [("main", "default"), ("other", OWN_MUSIC), ("lost", "default")])
async def test_each_queue_has_its_own_music(exchange: Exchange, queue: str, music: str) -> None:
    """And whoever waits in one whose music the PBX does not have is not left in silence."""
    call, far_end = await answered(exchange)
    await begun(call.hold(queue))
    assert await far_end.hears_music(music)


async def test_a_caller_who_is_sent_to_another_queue_hears_that_ones_music(exchange: Exchange) -> None:
    """A room of the one queue is none of the other."""
    call, far_end = await answered(exchange)
    holding = await begun(call.hold("main"))
    holding.cancel()
    await asyncio.gather(holding, return_exceptions=True)
    await begun(call.hold("other"))
    assert await far_end.hears_music(OWN_MUSIC)


# -- where a call comes from


async def test_a_call_from_outside_comes_from_the_trunk(exchange: Exchange) -> None:
    """Whoever it may be: there is nothing more to know."""
    call, _ = await exchange.call_in()
    assert call.facts.endpoint == exchange.trunk


async def test_a_call_from_an_agents_phone_comes_from_that_phone(exchange: Exchange) -> None:
    """By the PBX's own name for it, on which a password stands."""
    call, _ = await exchange.call_in(from_agent=True)
    assert (call.facts.endpoint, call.facts.number) == ("agent-1", None)


# -- an agent who dials a code


async def test_an_agent_who_dials_a_code_is_told_of_and_can_be_spoken_to(exchange: Exchange) -> None:
    """By the phone's own name; keys come in as from anybody."""
    call, code, far_end = await exchange.agent_dials("11")
    assert (code, call.facts.endpoint) == ("11", "agent-1")
    await soon(call.answer())
    await soon(call.play(SHORT))
    asking = await begun(call.ask(keypad=ONE_KEY, first_key_timeout_s=5))
    await far_end.press("4")
    assert await soon(asking, 2) == "4"
    await call.hang_up()
    await soon(far_end.over())


async def test_the_next_controller_is_told_of_an_agent_in_the_middle_of_a_code(exchange: Exchange) -> None:
    """Nobody speaks to them otherwise, and they are no call that was found."""
    predecessors, _, far_end = await exchange.agent_dials("13")
    await soon(predecessors.answer())
    assert await exchange.successor() == []
    call, code = await exchange.told_of_a_code()
    assert (code, call.facts.endpoint) == ("13", "agent-1")
    await soon(call.play(SHORT))
    await call.hang_up()
    await soon(far_end.over())


async def test_the_next_controller_finds_an_agent_who_redials_as_the_leg_of_an_attempt(exchange: Exchange) -> None:
    """With the customer whom they talk with; and is not told of the code that they dialled once more."""
    call, _, far_end = await exchange.agent_dials("4609012340002")
    await soon(call.answer())
    await call.remember(agent="agent-1", call="by-hand")
    async with exchange.customer_leg("answers", attempt_id="by-hand") as customer:
        assert await soon(customer.dial()) is None
        talking = await begun(customer.connect(call, on_joined=nothing))
        found = {each.role: each for each in await exchange.successor()}
        talking.cancel()
        await asyncio.gather(talking, return_exceptions=True)
    assert set(found) == {Role.AGENT, Role.CUSTOMER}
    agent = found[Role.AGENT]
    assert (agent.agent, agent.for_call, agent.attempt_id) == ("agent-1", "by-hand", None)
    assert agent.joined_with == {found[Role.CUSTOMER].call.id}
    await soon(agent.call.play(SHORT))
    await agent.call.hang_up()
    await soon(far_end.over())
    _, code, _ = await exchange.agent_dials("13")
    assert code == "13"
