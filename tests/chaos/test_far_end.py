"""The numbers without phones, rung by a real PBX with no controller: each does what its digits say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lab.far_end import Does, Numbers, Refusal, furnish
from lab.pbx import running_pair
from tests.asterisk.plain_ari import plain_ari

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.asterisk.plain_ari import Events, PlainAri

NUMBERS = Numbers()


@pytest.fixture(scope="module")
async def ari(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PlainAri]:
    """Start a PBX and its telephone network."""
    home = tmp_path_factory.mktemp("far-end")
    async with (
        running_pair(home, agents=1, customers=1, language="en", furnish=furnish) as (site, _, _),
        plain_ari(site) as ari,
    ):
        yield ari


@pytest.fixture
async def events(ari: PlainAri) -> AsyncIterator[Events]:
    """Listen to what becomes of a call."""
    async with ari.listening() as events:
        yield events


async def ring(ari: PlainAri, number: str, *, timeout_s: int = 10) -> str:
    """Ring a number; return the channel's id."""
    channel = await ari.post(
        "channels", endpoint=f"PJSIP/{number}@carrier", app="orikaeshi", callerId="0312345678", timeout=str(timeout_s)
    )
    return str(channel["id"])


@pytest.mark.parametrize(
    ("refusal", "cause", "sip"),
    [
        (Refusal.BUSY, 17, 486),
        (Refusal.REJECTED, 21, 603),
        (Refusal.FORBIDDEN, 21, 403),
        (Refusal.CONGESTED, 34, 503),
        (Refusal.UNKNOWN, 1, 404),
        (Refusal.AWAY, 19, 480),
    ],
)
async def test_a_call_is_refused_in_each_way(
    ari: PlainAri, events: Events, refusal: Refusal, cause: int, sip: int
) -> None:
    """By a SIP status of its own."""
    await ring(ari, NUMBERS.new(Does.REFUSE, refusal))
    gone = await events.next("ChannelDestroyed")
    assert (gone["cause"], gone["tech_cause"]) == (cause, sip)


@pytest.mark.parametrize("progress", ["0", "1", "2"], ids=["180", "183", "nothing"])
async def test_a_call_that_nobody_answers_rings_on_until_the_caller_ends_it(
    ari: PlainAri, events: Events, progress: str
) -> None:
    """With ringing, with a tone, and with nothing at all."""
    await ring(ari, NUMBERS.new(Does.LET_RING, progress), timeout_s=2)
    assert (await events.next("ChannelDestroyed"))["cause"] in {0, 16, 19, 127}


@pytest.mark.parametrize(
    ("does", "keys"), [(Does.TALK, "1"), (Does.LATER, "21"), (Does.NOT_NEEDED, "3"), (Does.TWO_LINES, "1")]
)
async def test_a_customer_answers_and_presses_their_keys(ari: PlainAri, events: Events, does: Does, keys: str) -> None:
    """As one who has listened does."""
    channel = await ring(ari, NUMBERS.new(does, 0, 9))
    await events.next("StasisStart")
    assert "".join([(await events.next("ChannelDtmfReceived"))["digit"] for _ in keys]) == keys
    await ari.hang_up(channel)
    await events.next("ChannelDestroyed")


async def test_whoever_is_busy_once_answers_the_second_time(ari: PlainAri, events: Events) -> None:
    """The network remembers how often a number was dialled."""
    number = NUMBERS.new(Does.REFUSE, Refusal.BUSY, 1)
    await ring(ari, number)
    assert (await events.next("ChannelDestroyed"))["cause"] == 17
    channel = await ring(ari, number)
    await events.next("StasisStart")
    await ari.hang_up(channel)
    await events.next("ChannelDestroyed")


async def test_a_customer_hangs_up_by_themselves(ari: PlainAri, events: Events) -> None:
    """One second after the answer: in mid-prompt."""
    await ring(ari, NUMBERS.new(Does.HANG_UP, 0, 1))
    await events.next("StasisStart")
    assert (await events.next("ChannelDestroyed"))["cause"] == 16


async def test_an_answering_machine_records_what_it_is_told_and_ends_the_call(ari: PlainAri, events: Events) -> None:
    """It hears silence for four seconds, and hangs up."""
    await ring(ari, NUMBERS.new(Does.MACHINE, 0, 1))
    await events.next("StasisStart")
    assert (await events.next("ChannelDestroyed", timeout_s=30))["cause"] == 16
