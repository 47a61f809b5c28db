"""A call to a customer: the last look, what is sent, and what is made of how it goes. On a server that speaks ARI."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from controller.domain.evidence import Evidence
from controller.domain.outcome import Outcome
from tests.adapters.outward import FIRST, NIGHT, NOON, NUMBER, OUTSIDE, Outward, outward, slow

if TYPE_CHECKING:
    from collections.abc import Callable


def night_falls(desk: Outward) -> None:
    """Let the calling hours end."""
    desk.clock.shows = NIGHT


def lease_is_lost(desk: Outward) -> None:
    """Let another controller take over."""
    desk.world.leads = False


def number_is_blocked(desk: Outward) -> None:
    """Let the customer say STOP."""
    desk.world.blocked.add(NUMBER)


def database_goes(desk: Outward) -> None:
    """Let the database go."""
    desk.world.database_is_up = False


def line_is_lost(desk: Outward) -> None:
    """Let the connection to the PBX go, which is noticed before the database answers."""
    desk.server.cut()


AGAINST: dict[Callable[[Outward], None], Outcome] = {
    night_falls: Outcome.OUTSIDE_HOURS,
    lease_is_lost: Outcome.NOT_PLACED,
    number_is_blocked: Outcome.BLOCKED,
    database_goes: Outcome.NOT_PLACED,
    line_is_lost: Outcome.NOT_PLACED,
}


@pytest.mark.parametrize(("what", "outcome"), AGAINST.items(), ids=[each.__name__ for each in AGAINST])
async def test_whatever_speaks_against_a_call_up_to_the_last_moment_stops_it(
    what: Callable[[Outward], None], outcome: Outcome
) -> None:
    """It happens while the database is asked for the last time; after that nothing is waited for."""
    async with outward() as desk:

        async def meanwhile() -> None:
            what(desk)
            if what is line_is_lost:
                await desk.wire.until("down")

        desk.world.meanwhile = meanwhile
        async with desk.leg() as leg:
            with capture_logs() as logs:
                assert await leg.dial() is outcome
            assert leg.evidence == Evidence()
        assert [line for line in logs if line["event"] == "originate"] == []
        assert desk.originated == []
        assert desk.world.asked == [NUMBER]
        assert [trunk.calls for trunk in desk.trunks.status()] == [0, 0]


async def test_a_number_that_may_not_be_dialled_is_not() -> None:
    """The gate stands in the same last step."""
    async with outward() as desk, desk.leg(number="+14155550123") as leg:
        assert await leg.dial() is Outcome.NOT_ALLOWED
        assert desk.originated == []


async def test_a_call_is_sent_with_its_own_id_and_nothing_but_digits() -> None:
    """The caller id of the trunk has dashes and a line break; the id comes from the attempt."""
    async with outward() as desk, desk.leg() as leg:
        dialling = asyncio.ensure_future(leg.dial())
        await desk.asked_for()
        dialling.cancel()
        (sent,) = desk.originated
        assert (sent["endpoint"], sent["callerId"]) == ("PJSIP/09012345678@carrier", "0312345678")
        variables = json.loads(sent["body"])["variables"]
        assert variables["ORI_ATTEMPT"] == "a1"
        assert "ORI_DETECT_MACHINE" not in variables
        assert leg.evidence == Evidence(trunk="carrier", placed_at=NOON)


async def test_a_queue_has_a_number_of_its_own_and_may_listen_for_machines() -> None:
    """The dialplan does the listening: it is told by the channel's variables."""
    async with outward() as desk, desk.leg(queue="machines") as leg:
        dialling = asyncio.ensure_future(leg.dial())
        await desk.asked_for()
        dialling.cancel()
        (sent,) = desk.originated
        assert sent["callerId"] == "0120000111"
        variables = json.loads(sent["body"])["variables"]
        assert (variables["ORI_DETECT_MACHINE"], variables["ORI_MACHINE_MESSAGE"]) == ("1", "1")


async def test_a_dry_run_does_everything_but_the_call_and_logs_the_same() -> None:
    """The database is asked, a trunk is chosen, the line of the log has the same fields; nothing is sent."""
    told: list[Any] = []
    for dry_run in (False, True):
        async with outward(dry_run=dry_run) as desk, desk.leg() as leg:
            with capture_logs() as logs:
                dialling = asyncio.ensure_future(leg.dial())
                if dry_run:
                    assert await dialling is Outcome.DRY_RUN
                else:
                    await desk.asked_for()
                    dialling.cancel()
            told.extend(line for line in logs if line["event"] == "originate")
            assert desk.world.asked == [NUMBER]
            assert len(desk.originated) == (not dry_run)
            assert desk.trunks.status()[0].calls == (not dry_run)
    real, dry = told
    assert (real.pop("dry_run"), dry.pop("dry_run")) == (False, True)
    assert real == dry
    assert real["number"] == "+81901234****"
    assert (real["trunk"], real["attempt_id"], real["caller_id"]) == ("carrier", "a1", "0312345678")


async def test_in_a_dry_run_no_caller_is_sent_outside_either() -> None:
    """Nothing leaves by a trunk."""
    async with (
        outward(dry_run=True) as desk,
        desk.telephony.external_leg(OUTSIDE, for_call="c1", shown_number=None, ring_timeout_s=5) as leg,
    ):
        assert await leg.dial() is Outcome.DRY_RUN
        assert desk.originated == []


async def test_a_call_that_is_taken_back_while_it_waits_for_the_pace_is_never_sent() -> None:
    """Nor was the database asked: it is asked when the call may leave."""
    async with outward(trunks=(slow(FIRST, 0.001),)) as desk, desk.leg("a1") as first, desk.leg("a2") as second:
        ringing = asyncio.ensure_future(first.dial())
        await desk.asked_for("a1")
        waiting = asyncio.ensure_future(second.dial())
        await desk.waiting(2)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert len(desk.originated) == 1
        assert desk.world.asked == [NUMBER]
        assert desk.trunks.status()[0].calls == 1
        ringing.cancel()


async def test_two_calls_that_want_to_leave_at_once_ask_the_database_one_after_the_other() -> None:
    """A slow answer to the first would otherwise bring the two together."""
    async with outward(trunks=(slow(FIRST, 1000),)) as desk, desk.leg("a1") as first, desk.leg("a2") as second:
        answer = asyncio.Event()
        desk.world.meanwhile = lambda: until(answer)
        dialling = [asyncio.ensure_future(leg.dial()) for leg in (first, second)]
        await desk.world.was_asked.wait()
        await desk.waiting(2)
        assert desk.world.asked == [NUMBER]
        answer.set()
        await desk.asked_for("a2")
        assert len(desk.world.asked) == 2
        for each in dialling:
            each.cancel()


async def until(told: asyncio.Event) -> None:
    """Wait for it."""
    await told.wait()
