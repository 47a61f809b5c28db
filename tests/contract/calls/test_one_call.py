"""What the port `Call` promises, held by the scripted exchange and by Asterisk.

The journeys are tested against the scripted one: it is worth as much as this suite.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from controller.domain.digits import ONE_KEY, PHONE_NUMBER
from controller.journeys.race import first_of
from controller.ports.calls import CallerHungUp, Stage
from tests.contract.calls.hands import LONG, SHORT, answered, begun, soon

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from controller.ports.calls import Call
    from tests.contract.calls.exchange import Exchange


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
    assert loop.time() - began - one_s > one_s + 0.25


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


async def test_keys_are_kept_through_as_many_prompts_as_the_caller_knows_by_heart(exchange: Exchange) -> None:
    """Three keys, pressed into an announcement: for two questions that were not asked yet, and for the line."""
    call, far_end = await answered(exchange)
    playing = await begun(call.play(*LONG))
    await far_end.press("253")
    playing.cancel()
    await asyncio.gather(playing, return_exceptions=True)
    await soon(call.play(SHORT))
    assert await soon(call.ask(*LONG, keypad=ONE_KEY), 2) == "2"
    assert await soon(call.ask(*LONG, keypad=ONE_KEY), 2) == "5"
    assert await soon(call.hold("main", until_keys="3"), 2) == "3"


async def test_a_number_can_be_keyed_ahead_of_its_question(exchange: Exchange) -> None:
    """As far as the hash; what comes after it is for the next question."""
    call, far_end = await answered(exchange)
    asking = await begun(call.ask(*LONG, keypad=ONE_KEY))
    await far_end.press("20312345678#1")
    assert await soon(asking, 3) == "2"
    assert await soon(call.ask(*LONG, keypad=PHONE_NUMBER), 3) == "0312345678"
    assert await soon(call.ask(*LONG, keypad=ONE_KEY), 2) == "1"


async def test_keys_pressed_on_hold_that_it_waits_for_not_are_not_kept(exchange: Exchange) -> None:
    """Whoever plays with the keys while the music plays has not answered the next question."""
    call, far_end = await answered(exchange)
    holding = await begun(call.hold("main", until_keys="1"))
    await far_end.press("991")
    assert await soon(holding, 2) == "1"
    assert await soon(call.ask(SHORT, keypad=ONE_KEY, first_key_timeout_s=0.5)) == ""


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
    assert prompt_s + 0.4 < loop.time() - began < prompt_s + 1.5


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


async def test_an_announcement_over_the_music_is_cut_short_by_a_key_that_means_something(exchange: Exchange) -> None:
    """And by no other; then the music goes on."""
    call, far_end = await answered(exchange)
    announcing = await begun(first_of(key=call.hold("main", until_keys="1"), announced=call.play(*LONG)))
    await far_end.press("5")
    await asyncio.wait({announcing}, timeout=0.5)
    assert not announcing.done(), "a key without a meaning cut it short"
    await far_end.press("1")
    assert await soon(announcing, 1) == ("key", "1")
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
async def test_a_verb_that_is_under_way_ends_when_the_party_hangs_up(exchange: Exchange, verb: str) -> None:
    """At once, not when its time is over. It raises, or the next verb does: a PBX may tell of a prompt's end first."""
    call, far_end = await answered(exchange)
    doing = await begun(VERBS[verb](call))
    await far_end.hang_up()
    with suppress(CallerHungUp):
        await soon(doing, 2)
    await soon(call.gone(), 2)
    with pytest.raises(CallerHungUp):
        await call.remember(stage=Stage.IN_LINE)


async def test_hanging_up_ends_the_call_and_can_be_repeated(exchange: Exchange) -> None:
    """Also after the party has hung up."""
    call, far_end = await answered(exchange)
    await call.hang_up()
    await soon(far_end.over())
    await soon(call.gone())
    await call.hang_up()
    with pytest.raises(CallerHungUp):
        await call.play(SHORT)
