"""What is made of how a call to a customer goes: outcome, evidence, and which trunk is blamed. On a server for ARI."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from controller.domain.evidence import AnsweredBy, Evidence
from controller.domain.outcome import Outcome
from tests.adapters.outward import FIRST, NOON, NUMBER, SECOND, Outward, outward


async def gone(desk: Outward, cause: int, tech_cause: int, *, attempt_id: str = "a1", **fields: Any) -> None:
    """End the customer's channel."""
    await desk.tell("ChannelDestroyed", attempt_id=attempt_id, cause=cause, tech_cause=tech_cause, **fields)


@pytest.mark.parametrize("said", ["state", "dial"])
async def test_ringing_is_seen_and_kept_with_the_outcome(said: str) -> None:
    """By the channel's state or by a Dial event, whichever Asterisk sends."""
    async with outward() as desk, desk.leg() as leg:
        dialling = asyncio.ensure_future(leg.dial())
        await desk.asked_for()
        if said == "state":
            await desk.tell("ChannelStateChange", state="Ringing")
        else:
            await desk.tell("Dial", dialstatus="RINGING")
        await gone(desk, 19, 480)
        assert await dialling is Outcome.NO_ANSWER
        assert leg.evidence == Evidence(trunk="carrier", cause=19, tech_cause=480, rang=True, placed_at=NOON)
        assert desk.trunks.status()[0].calls == 0


async def test_an_announcement_before_the_end_is_no_ringing() -> None:
    """183, then 480: the phone is off, and the network says so in words."""
    async with outward() as desk, desk.leg() as leg:
        dialling = asyncio.ensure_future(leg.dial())
        await desk.asked_for()
        await desk.tell("Dial", dialstatus="PROGRESS")
        await gone(desk, 19, 480)
        assert await dialling is Outcome.UNREACHABLE
        assert not leg.evidence.rang


async def test_our_own_time_out_is_no_answer_and_kept_as_such() -> None:
    """On the wire it looks like a far end's 480."""
    async with outward() as desk, desk.leg(ring_timeout_s=0.05) as leg:
        dialling = asyncio.ensure_future(leg.dial())
        await desk.asked_for()
        await desk.asked_for()  # The hang-up: a DELETE of the same channel.
        await gone(desk, 19, 480)
        assert await dialling is Outcome.NO_ANSWER
        assert leg.evidence.timed_out


@pytest.mark.parametrize(
    ("queue", "word", "answered_by"),
    [
        ("main", None, AnsweredBy.NOT_ASKED),
        ("machines", "human", AnsweredBy.HUMAN),
        ("machines", "machine", AnsweredBy.MACHINE),
        ("machines", "unsure", AnsweredBy.UNSURE),
        ("machines", "", AnsweredBy.UNSURE),
        ("machines", "DROP TABLE", AnsweredBy.UNSURE),
    ],
)
async def test_who_answered_is_read_from_the_channel(queue: str, word: str | None, answered_by: AnsweredBy) -> None:
    """As the dialplan wrote it; a word that nobody knows is nobody's word."""
    async with outward() as desk, desk.leg(queue=queue) as leg:
        dialling = asyncio.ensure_future(leg.dial())
        await desk.asked_for()
        await desk.tell("ChannelStateChange", state="Up")
        marks = {} if word is None else {"ORI_ANSWERED_BY": word}
        await desk.tell("StasisStart", state="Up", args=["customer", "a1"], channelvars=marks)
        assert await dialling is None
        assert leg.evidence == Evidence(trunk="carrier", placed_at=NOON, answered_at=NOON, answered_by=answered_by)


@pytest.mark.parametrize(("word", "outcome"), [("machine", Outcome.MACHINE), ("human", Outcome.DROPPED)])
async def test_a_machine_that_the_dialplan_was_done_with_is_no_customer_who_hung_up(
    word: str, outcome: Outcome
) -> None:
    """It was spoken to and hung up before it ever came to us."""
    async with outward() as desk, desk.leg(queue="machines") as leg:
        dialling = asyncio.ensure_future(leg.dial())
        await desk.asked_for()
        await desk.tell("ChannelStateChange", state="Up")
        await gone(desk, 16, 0, state="Up", channelvars={"ORI_ANSWERED_BY": word})
        assert await dialling is outcome
        assert leg.evidence.answered_at == NOON


@pytest.mark.parametrize(
    ("cause", "tech_cause", "outcome"), [(34, 503, Outcome.CONGESTION), (38, 500, Outcome.UNREACHABLE)]
)
async def test_a_trunk_that_failed_rests_and_the_next_attempt_goes_another_way(
    cause: int, tech_cause: int, outcome: Outcome
) -> None:
    """A new attempt with a new id; in the form of number and with the caller id of the other trunk."""
    async with outward() as desk:
        async with desk.leg("a1") as leg:
            dialling = asyncio.ensure_future(leg.dial())
            await desk.asked_for("a1")
            await gone(desk, cause, tech_cause)
            assert await dialling is outcome
            assert len(desk.originated) == 1
        assert desk.trunks.other_way
        async with desk.leg("a2") as leg:
            dialling = asyncio.ensure_future(leg.dial())
            await desk.asked_for("a2")
            assert leg.evidence.trunk == SECOND.endpoint
            dialling.cancel()
        sent = desk.originated[-1]
        assert (sent["endpoint"], sent["callerId"]) == (f"PJSIP/{NUMBER}@backup", "0311112222")


async def test_a_trunk_that_rang_before_it_failed_is_not_blamed() -> None:
    """It took the call: what came after is another's fault."""
    async with outward() as desk, desk.leg() as leg:
        dialling = asyncio.ensure_future(leg.dial())
        await desk.asked_for()
        await desk.tell("Dial", dialstatus="PROGRESS")
        await gone(desk, 34, 503)
        assert await dialling is Outcome.CONGESTION
        assert desk.trunks.status()[0].failures == 0


async def test_a_trunk_by_which_the_pbx_places_nothing_rests() -> None:
    """An endpoint that is gone or not reachable: ARI answers 500."""
    async with outward() as desk, desk.leg() as leg:
        desk.server.refused["channels/customer-a1"] = (500, "Allocation failed")
        assert await leg.dial() is Outcome.NOT_PLACED
        assert leg.evidence == Evidence()
        assert [(trunk.failures, trunk.calls) for trunk in desk.trunks.status()] == [(1, 0), (0, 0)]
        assert desk.trunks.other_way


async def test_with_no_trunk_left_nothing_is_asked_and_nothing_sent() -> None:
    """Neither is anybody kept waiting."""
    async with outward() as desk, desk.leg() as leg:
        for trunk in (FIRST, SECOND):
            desk.trunks.failed(trunk.endpoint, "an earlier call", "503")
        assert await leg.dial() is Outcome.NOT_PLACED
        assert desk.world.asked == []
        assert desk.originated == []
