"""The verbs on FastAGI: what is said, what is keyed, what is never sent, and how a hang-up shows."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from controller.asterisk.agi.commands import quoted
from controller.asterisk.agi.conversation import MOST_KEYS, AgiConversation
from controller.domain.digits import ONE_KEY, PHONE_NUMBER, Keypad
from controller.ports.calls import CallerHungUp, Stage
from tests.adapters.agi_client import Caller, told

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


# -- what is said and heard


async def test_prompts_are_played_in_order_from_the_folder_of_ours() -> None:
    """To their end."""
    caller = Caller()
    await told(caller, lambda call: call.play("welcome", "digit-0"))
    assert caller.heard == ["welcome", "digit-0"]


async def test_a_key_pressed_during_a_prompt_is_kept_and_the_prompt_goes_on_where_it_was() -> None:
    """Asterisk stops it at a key, or loses the key: it is taken up again from that sample."""
    caller = Caller({"welcome": ["12"]})

    async def story(call: AgiConversation) -> list[str]:
        await call.play("welcome", "digit-0")
        return [await call.ask("offer", keypad=ONE_KEY), await call.ask("offer", keypad=ONE_KEY)]

    assert await told(caller, story) == ["1", "2"]
    assert caller.heard == ["welcome", "digit-0"]
    positions = [command.split()[-1] for command in caller.commands if "welcome" in command]
    assert positions == ["0", "1600", "3200"]


async def test_the_first_key_cuts_the_question_short() -> None:
    """The rest of it is not played: neither of that prompt nor those after it."""
    caller = Caller({"offer": ["7"]})
    assert await told(caller, lambda call: call.ask("offer", "use-this-number", keypad=ONE_KEY)) == "7"
    assert [command.split('"')[0] for command in caller.commands] == ["STREAM FILE orikaeshi/offer "]


async def test_a_question_that_nobody_answers_ends_with_nothing() -> None:
    """After the time for the first key, in milliseconds."""
    caller = Caller()
    assert await told(caller, lambda call: call.ask("offer", keypad=PHONE_NUMBER, first_key_timeout_s=2.5)) == ""
    assert caller.commands[-1] == "WAIT FOR DIGIT 2500"


@pytest.mark.parametrize(
    ("keys", "entered"),
    [
        ("0901*0312345#", "0312345"),
        ("0612", "0612"),
        ("#", ""),
        ("5#", "5"),
        ("12345678901234567890", "12345678901234567890"),
        ("123456789012345678901", "12345678901234567890"),
        ("12*", ""),
        ("12*#", ""),
        ("12*345678901234567890123", "34567890123456789012"),
    ],
)
async def test_a_number_is_ended_by_the_hash_by_a_pause_and_by_its_length(keys: str, entered: str) -> None:
    """A star begins it afresh."""
    caller = Caller({"enter-number": [keys]})
    assert await told(caller, lambda call: call.ask("enter-number", keypad=PHONE_NUMBER)) == entered


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(keys=st.text("0123456789*#ABCD", max_size=24), finish=st.sampled_from(["#", ""]), most=st.integers(1, 16))
def test_what_is_keyed_is_what_the_keypad_makes_of_it_key_by_key(keys: str, finish: str, most: int) -> None:
    """Whichever commands collect it: the rule of the keypad is the one and only."""
    keypad = Keypad(max_digits=most, finish=finish, restart="*" if finish else "")
    expected, complete = "", False
    for key in keys:
        if not complete:
            expected, entry = keypad.press(expected, key)
            complete = entry == "complete"
    with asyncio.Runner() as runner:
        caller = Caller({"enter-number": [keys]})
        assert runner.run(told(caller, lambda call: call.ask("enter-number", keypad=keypad))) == expected


async def test_asterisk_is_asked_for_no_more_keys_than_are_wanted() -> None:
    """It would wait for one more."""
    caller = Caller({"enter-number": ["12345678901234567890"]})
    await told(caller, lambda call: call.ask("enter-number", keypad=PHONE_NUMBER, next_key_timeout_s=3))
    assert caller.commands[1:] == ['GET DATA "" 3000 19']


async def test_keys_beyond_what_is_asked_for_answer_the_next_question() -> None:
    """Type-ahead: who knows the menu does not have to wait for it."""
    caller = Caller({"offer": ["1"], "enter-number": ["0312345678#2"]})

    async def story(call: AgiConversation) -> list[str]:
        return [
            await call.ask("offer", keypad=ONE_KEY),
            await call.ask("enter-number", keypad=PHONE_NUMBER),
            await call.ask("confirm-number", keypad=ONE_KEY),
        ]

    assert await told(caller, story) == ["1", "0312345678", "2"]


async def test_a_flood_of_keys_does_not_keep_a_prompt_from_its_end() -> None:
    """Somebody leans on the phone."""
    caller = Caller({"welcome": ["5" * 500]})
    await told(caller, lambda call: call.play("welcome"))
    assert len(caller.commands) == MOST_KEYS + 1


async def test_marks_and_the_language_are_kept_on_the_channel_and_the_language_is_given_back() -> None:
    """What the dialplan says afterwards is in the language of before."""
    caller = Caller()

    async def story(call: AgiConversation) -> str:
        await call.remember(stage=Stage.BOOKED, queue="support", language="en")
        spoken = call.language
        await call.report("PROMISED")
        return spoken

    assert await told(caller, story) == "en"
    assert caller.commands[-2:] == ['SET VARIABLE CHANNEL(language) "ja"', 'SET VARIABLE ORI_RESULT "PROMISED"']
    assert (caller.variables["ORI_STAGE"], caller.variables["ORI_QUEUE"]) == ("booked", "support")


async def test_a_prompt_that_the_pbx_does_not_have_is_named_in_the_log() -> None:
    """Asterisk plays nothing and says that all is well."""
    caller = Caller(odd_answers={"STREAM FILE": b"200 result=0 endpos=0\n"})
    with capture_logs() as logs:
        await told(caller, lambda call: call.play("welcome"))
    assert [line["prompt"] for line in logs if line["log_level"] == "error"] == ["welcome"]


# -- what must never be sent


@pytest.mark.parametrize("text", ["a\nHANGUP", "a\r", "\0", "\x1b", "\u2028"])
async def test_a_line_break_never_gets_into_a_command(text: str) -> None:
    """It would begin a command of somebody else's choosing."""
    caller = Caller()
    with pytest.raises(ValueError, match="printed"):
        await told(caller, lambda call: call.remember(queue=text))
    with pytest.raises(ValueError, match="prompt"):
        await told(caller, lambda call: call.play(text))
    assert caller.commands == []


def test_quotes_and_backslashes_stay_inside_an_argument() -> None:
    """As Asterisk's own parser takes them (main/utils.c, res/res_agi.c)."""
    assert quoted('a"b\\c') == '"a\\"b\\\\c"'


# -- hanging up

VERBS: dict[str, Callable[[AgiConversation], Awaitable[object]]] = {
    "ANSWER": lambda call: call.answer(),
    "STREAM FILE": lambda call: call.play("welcome"),
    "WAIT FOR DIGIT": lambda call: call.ask(keypad=ONE_KEY),
    "SET VARIABLE": lambda call: call.remember(stage=Stage.LEAVING_NUMBER),
}
CLOSED = "closed"
ENDINGS = {
    "HANGUP": b"HANGUP\n",
    "minus one": b"200 result=-1 endpos=0\nHANGUP\n",
    "dead channel": b"511 Command Not Permitted on a dead channel or intercept routine\n",
    CLOSED: b"",
}


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("command", VERBS)
async def test_every_verb_raises_once_the_party_is_gone(command: str, ending: str) -> None:
    """However Asterisk says so; and again, without sending anything more. Hanging up raises nothing."""
    caller = Caller(closes_at=command) if ending == CLOSED else Caller(odd_answers={command: ENDINGS[ending]})

    async def story(call: AgiConversation) -> None:
        for verb in (VERBS[command], *VERBS.values()):
            with pytest.raises(CallerHungUp):
                await verb(call)
        await call.hang_up()

    await told(caller, story)
    assert len(caller.commands) == 1


async def test_hanging_up_ends_the_call() -> None:
    """Once."""
    caller = Caller()
    await told(caller, lambda call: call.hang_up())
    assert caller.commands == ["HANGUP"]
