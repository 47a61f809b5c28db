"""What a called-back customer, or their machine, hears on answering, and what comes of it, with real phones."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from lab.audio import PROMPT_SCORE, find_prompt, read_wav, tone_share
from lab.phone import Answer
from tests.asterisk.callbacks_site import (
    Story,
    callback_floor,
    ended_attempt,
    explained,
    has_heard,
    hear_each_other,
    hears,
    leaves_number,
    way_in,
)
from tests.asterisk.floor import AGENT_HZ, CALLER_HZ, Floor
from tests.asterisk.sentences import together

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from lab.phone import Phone, PhoneCall

LISTENS = "[queues.callbacks]\ndetect_machine = true"
QUESTION_S = 6.5
"""The question for a key is longer than this, so where it begins again is later."""
MACHINE = "08060400012"
"""A customer without a phone: a machine that greets for four seconds, beeps and records."""
STORIES = {
    "later": Story(agents=(0,)),
    "no-more": Story(agents=(1,)),
    "silent": Story(agents=(2,)),
    "leaves": Story(agents=(3,)),
    "foreign": Story(agents=(4,), language="ja"),
    "native": Story(agents=(5,)),
    "recorded": Story(f'{LISTENS}\nmachine_message = "message-machine"', agents=(6,)),
    "unheard": Story(LISTENS, agents=(7,)),
    "person": Story(LISTENS, agents=(8,)),
    "machine": Story(agents=(9,)),
}
HOME = {"native": "ja"}
"""In which language a number was left, if not in English."""

Promised = dict[str, tuple[str, "Phone"]]
"""A promise's id and its customer's phone, by queue."""


@pytest.fixture(scope="module")
async def opened(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Floor, Promised]]:
    """Start everything once, and let a customer leave their number in each queue."""
    async with callback_floor(tmp_path_factory.mktemp("site"), STORIES) as floor:
        phones = {queue: floor.customer() for queue in STORIES}
        ids = await asyncio.gather(
            *(
                leaves_number(
                    floor,
                    phone,
                    way_in(STORIES, queue, HOME.get(queue, "en")),
                    MACHINE if queue == "recorded" else "",
                )
                for queue, phone in phones.items()
            )
        )
        yield floor, dict(zip(STORIES, zip(ids, phones.values(), strict=True), strict=True))


@pytest.fixture(scope="module")
def running_floor(opened: tuple[Floor, Promised]) -> Floor:
    """Give the floor to those who look after it between two tests."""
    return opened[0]


@pytest.fixture(scope="module")
def promised(opened: tuple[Floor, Promised]) -> Promised:
    """Return who waits for a callback."""
    return opened[1]


async def called_back(
    floor: Floor, promised: Promised, queue: str, *, tone_hz: float | None = None
) -> tuple[PhoneCall, PhoneCall, str]:
    """Let the agent of a queue sign in and the customer answer; return both ends and the promise's id."""
    promise_id, customer = promised[queue]
    customer.when_rung = Answer(tone_hz=tone_hz)
    (place,) = STORIES[queue].agents
    leg = await (await floor.signed_in(place)).rings()
    await leg.answered()
    await leg.press("1")  # The whisper is not what matters here.
    callback = await customer.rings()
    await callback.answered()
    return leg, callback, promise_id


def no_agent(call: PhoneCall) -> None:
    """See that nothing of the agent's tone was heard on a call that is over."""
    heard = call.heard.slice()
    second = 8000
    for start in range(0, heard.size - second // 2, second // 2):
        assert tone_share(heard[start : start + second], AGENT_HZ) < 0.5


# -- keys


async def test_a_customer_says_in_how_many_minutes_they_want_to_be_called(floor: Floor, promised: Promised) -> None:
    """2, then 4 for forty. It is read back, and stands in the database and in what `explain` tells."""
    leg, callback, promise_id = await called_back(floor, promised, "later")
    await floor.heard(callback, "callback-greeting")
    await callback.press("24")
    await hears(floor, callback, "later-40", "later-confirm")
    await callback.press("1")
    await floor.heard(callback, "later-goodbye")
    await callback.ended
    await floor.heard(leg, "agent-postponed")
    await leg.ended
    attempt = await ended_attempt(floor, promise_id)
    assert attempt["outcome"] == "postponed"
    (promise,) = floor.rows("select * from promises where id = ?", promise_id)
    assert (promise["state"], promise["attempts_used"]) == ("waiting", 0)
    wait = datetime.fromisoformat(promise["not_before"]) - datetime.fromisoformat(attempt["ended_at"])
    assert abs(wait - timedelta(minutes=40)) < timedelta(seconds=30)
    assert "they chose 40 min later" in (await explained(floor, promise_id))[1]


async def test_a_customer_who_presses_3_is_not_called_again(floor: Floor, promised: Promised) -> None:
    """They hear so, and so does the agent; a key may be pressed before the question is over."""
    leg, callback, promise_id = await called_back(floor, promised, "no-more")
    await floor.heard(callback, "callback-greeting")
    await callback.press("3")
    await floor.heard(callback, "cancelled")
    await callback.ended
    await floor.heard(leg, "agent-declined")
    await leg.ended
    await floor.promise_is(promise_id, "cancelled")
    assert not has_heard(floor, callback, "callback-confirm")


async def test_whoever_presses_nothing_never_gets_an_agent(floor: Floor, promised: Promised) -> None:
    """A person who does not listen, and a machine that nobody listens for: both are asked twice, and hung up."""

    async def not_confirmed(queue: str, tone_hz: float | None) -> None:
        leg, callback, promise_id = await called_back(floor, promised, queue, tone_hz=tone_hz)
        asked_s = await hears(floor, callback, "callback-greeting", "callback-confirm")
        callback.hush()
        await floor.heard(callback, "callback-confirm", timeout_s=30, from_s=asked_s + QUESTION_S)
        async with asyncio.timeout(20):
            await callback.ended
        no_agent(callback)
        await floor.heard(leg, "agent-no-answer")
        await leg.ended
        attempt = await ended_attempt(floor, promise_id)
        assert (attempt["outcome"], attempt["answered_by"]) == ("not_confirmed", "not_asked")

    await together(not_confirmed("silent", None), not_confirmed("machine", CALLER_HZ))


async def test_whoever_hangs_up_in_mid_prompt_is_called_again(floor: Floor, promised: Promised) -> None:
    """Nobody knows whether they listened."""
    leg, callback, promise_id = await called_back(floor, promised, "leaves")
    await floor.heard(callback, "callback-greeting")
    await callback.hang_up()
    await floor.heard(leg, "agent-no-answer")
    await leg.ended
    assert (await ended_attempt(floor, promise_id))["outcome"] == "dropped"
    assert floor.rows("select state from promises where id = ?", promise_id)[0]["state"] == "waiting"


async def test_a_customer_is_spoken_to_in_the_language_in_which_they_left_their_number(
    floor: Floor, promised: Promised
) -> None:
    """English from a Japanese queue, and Japanese from an English one."""

    async def hears_own(queue: str, language: str) -> None:
        _, callback, promise_id = await called_back(floor, promised, queue)
        await hears(floor, callback, "callback-greeting", language=language)
        await callback.press("2")
        await hears(floor, callback, "later-choose", language=language)
        await callback.press("91")
        await hears(floor, callback, "later-goodbye", language=language)
        await callback.ended
        (promise,) = floor.rows("select language from promises where id = ?", promise_id)
        assert promise["language"] == language

    await together(hears_own("foreign", "en"), hears_own("native", "ja"))


# -- machines


async def test_a_machine_records_the_message_and_no_agent_is_joined(floor: Floor, promised: Promised) -> None:
    """From its first word: the machine's own greeting is waited out."""
    promise_id, _ = promised["recorded"]
    leg = await (await floor.signed_in(6)).rings()
    await leg.answered()
    await leg.press("1")
    await floor.heard(leg, "agent-machine", timeout_s=40)
    await leg.ended
    attempt = await ended_attempt(floor, promise_id)
    assert (attempt["outcome"], attempt["answered_by"], attempt["confirmed_at"]) == ("machine", "machine", None)
    carrier = floor.stack.carrier
    recording = carrier.log_path.parents[1] / "spool" / "recording" / f"{MACHINE}.wav"
    assert "0 active channels" in await carrier.cli("core show channels")
    recorded = read_wav(recording)
    message = read_wav(floor.stack.prompts.file("message-machine", "en"))
    assert find_prompt(recorded, message).score > PROMPT_SCORE
    assert tone_share(recorded, AGENT_HZ) < 0.5


async def test_a_machine_that_gets_no_message_is_hung_up(floor: Floor, promised: Promised) -> None:
    """Without a word; a greeting that does not end is enough to tell it by."""
    leg, callback, promise_id = await called_back(floor, promised, "unheard", tone_hz=CALLER_HZ)
    async with asyncio.timeout(10):
        await callback.ended
    await floor.heard(leg, "agent-machine")
    await leg.ended
    assert callback.heard.longest_silence_s() > callback.heard.duration_s - 0.3
    attempt = await ended_attempt(floor, promise_id)
    assert (attempt["outcome"], attempt["answered_by"]) == ("machine", "machine")


async def test_a_person_who_says_hello_is_asked_and_joined(floor: Floor, promised: Promised) -> None:
    """A short word and silence behind it."""
    leg, callback, promise_id = await called_back(floor, promised, "person", tone_hz=CALLER_HZ)
    await callback.heard.until_silence(0.5)
    callback.hush()
    await floor.heard(callback, "callback-greeting")
    await callback.press("1")
    await hear_each_other(leg, callback)
    await callback.hang_up()
    await leg.ended
    attempt = await ended_attempt(floor, promise_id)
    assert (attempt["outcome"], attempt["answered_by"]) == ("talked", "human")
