"""The sender of SMS on a real outbox: what it never hands over, what goes with an SMS, and its gateway."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest

from controller.domain.effects import SendSms, SmsTemplate
from controller.domain.phone_number import NumberPlan
from controller.domain.signed import Purpose, Signer
from controller.domain.sms_gate import SmsGate
from controller.domain.sms_limits import SmsBill, SmsLimits
from controller.ports.promises import StoreUnavailableError
from controller.ports.sms import Refused
from controller.sms.texts import WITH_LINK
from controller.workers.link_clerk import LinkClerk
from tests.adapters.sms_room import Room
from tests.contract.store_under_test import HandClock, rows, store_at

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from controller.ports.links import BookingLinks
    from controller.ports.sms import Claim, QueuedSms, SmsOutbox

LANDLINE = "+81312345670"
SIGNER = Signer(b"a secret of the tests, long enough")


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    """Open it; after each test, no number stood in the log."""
    clock = HandClock()
    async with store_at(f"sqlite+aiosqlite:///{tmp_path}/orikaeshi.db", clock) as store:
        opened = Room(store, clock)
        yield opened
        await opened.stop()
    assert "+81901234567" not in repr(opened.entries)
    assert LANDLINE not in repr(opened.entries)


class Trouble:
    """A book of which some methods fail some times: after they did their work, or instead."""

    def __init__(self, book: object, method: str, *, fails: int, after: bool) -> None:
        self._book = book
        self._method = method
        self._fails = fails
        self._after = after

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._book, name)
        if name != self._method:
            return method

        async def troubled(*args: Any, **kwargs: Any) -> Any:
            self._fails -= 1
            if self._fails < 0:
                return await method(*args, **kwargs)
            if self._after:
                await method(*args, **kwargs)
            raise StoreUnavailableError("the database is away")

        return troubled


async def test_a_number_that_takes_no_sms_never_reaches_the_gateway(room: Room) -> None:
    """It is blocked, with a reason; the next is sent."""
    await room.owe(1, number=LANDLINE)
    await room.owe(2)
    room.start()
    blocked = await room.logged("sms_blocked")
    assert blocked["reason"] == "no SMS can reach this type of number"
    assert blocked["level"] == "error"
    await room.logged("sms_sent")
    assert await room.statuses() == ["blocked", "sent"]
    assert (await room.errors())[0] == blocked["reason"]
    assert [number for _, number in room.provider.handed_over] == ["+819012345672"]


async def test_a_country_that_is_not_allowed_never_reaches_the_gateway(room: Room) -> None:
    """Whatever may be dialled there."""
    room.start(gate=SmsGate(NumberPlan(), frozenset({"US"})))
    await room.owe(1)
    assert (await room.logged("sms_blocked"))["reason"] == "the settings allow no SMS to this country"
    assert room.provider.handed_over == []


async def test_a_number_that_said_stop_gets_nothing(room: Room) -> None:
    """Also what was queued before."""
    await room.owe(1)
    await room.store.do_not_call.block("+819012345671", reason="STOP by SMS")
    room.start()
    await room.logged("sms_blocked")
    assert room.provider.handed_over == []


async def test_a_cap_is_told_as_an_error_once_an_hour_and_not_a_thousand_times(room: Room) -> None:
    """Each SMS says in the database why it was not sent."""
    room.start(limits=SmsLimits(max_cost_milli=0))
    for n in range(3):
        await room.owe(n)
    await room.logged("sms_blocked")
    for _ in range(2):
        assert (await room.logged("sms_blocked_too"))["level"] == "debug"
    assert await room.statuses() == ["blocked"] * 3
    room.clock.turn(3601)
    await room.owe(4)
    again = await room.logged("sms_blocked")
    assert again["more_before"] == 2
    assert len([entry for entry in room.entries if entry["event"] == "sms_blocked"]) == 2
    assert room.provider.handed_over == []


async def test_what_is_of_no_use_any_more_is_not_sent(room: Room) -> None:
    """A refusal put it off for longer than it is of use."""
    room.provider.answers = [Refused("closed for the night", 13 * 3600)]
    room.start()
    await room.owe(1)
    await room.logged("sms_refused")
    room.clock.turn(13 * 3600)
    assert (await room.logged("sms_not_sent"))["status"] == "lapsed"
    assert len(room.provider.handed_over) == 1


async def test_pauses_grow_where_the_provider_names_short_ones(room: Room) -> None:
    """What it names is the least."""
    room.provider.answers = [Refused("busy", 1), Refused("busy", 60)]
    room.start()
    await room.owe(1)
    assert (await room.logged("sms_refused"))["retry_in_s"] == 5
    room.clock.turn(5)
    assert (await room.logged("sms_refused"))["retry_in_s"] == 60
    room.clock.turn(60)
    await room.logged("sms_sent")


async def test_a_bill_is_written_before_the_sms_leaves(room: Room) -> None:
    """What it costs counts towards the caps from then on."""
    seen: list[asyncio.Task[Any]] = []

    def look() -> None:
        seen.append(asyncio.ensure_future(rows(room.store, "SELECT status, segments, cost_milli FROM sms_outbox")))

    room.provider.while_sending = look
    room.start(bill=lambda _sms, _text: SmsBill(2, 16_000))
    await room.owe(1)
    await room.logged("sms_sent")
    (row,) = await seen[0]
    assert (row["segments"], row["cost_milli"]) == (2, 16_000)


async def test_a_link_is_in_the_database_before_the_text_leaves_and_always_the_same(room: Room) -> None:
    """Tried twice, the SMS names the same address; it is bound to its promise, number and queue."""
    clerk = LinkClerk(room.store.links, SIGNER, "https://call.example.com/", room.clock, templates=WITH_LINK)
    room.provider.answers = [Refused("busy", 5)]
    room.start(link_for=clerk.link_for)
    key = await room.owe(1)
    await room.logged("sms_refused")
    room.clock.turn(5)
    await room.logged("sms_sent")
    assert room.provider.texts[0] == room.provider.texts[1]
    token = room.provider.texts[0].partition("https://call.example.com/l/")[2][:24]
    link_id = SIGNER.read(Purpose.PROMISE, token)
    assert link_id is not None
    link = await room.store.links.find(link_id, room.clock.now())
    assert link is not None
    assert (link.number, link.queue, link.promise_id, link.used_at) == (
        "+819012345671",
        "sales",
        key.partition(":")[0],
        None,
    )
    assert link.expires_at == room.clock.now() - timedelta(seconds=5) + timedelta(hours=48)


async def test_a_text_that_is_about_no_promise_carries_a_link_to_book_one(room: Room) -> None:
    """As the offer after an abandoned call does; a text without a link has none issued."""
    clerk = LinkClerk(room.store.links, SIGNER, "https://call.example.com", room.clock, templates=WITH_LINK)
    room.start(link_for=clerk.link_for)
    for template in (SmsTemplate.MISSED_YOU, SmsTemplate.CANCELLED):
        await room.store.texts.owe(SendSms(f"call-7:{template}", template, "+819012345677", "en", "sales"))
        await room.logged("sms_sent")
    token = room.provider.texts[0].partition("https://call.example.com/l/")[2][:24]
    link_id = SIGNER.read(Purpose.BOOK, token)
    assert link_id is not None
    assert await room.store.links.find(link_id, room.clock.now()) is not None
    assert "https" not in room.provider.texts[1]
    (row,) = await rows(room.store, "SELECT count(*) AS n FROM booking_links")
    assert row["n"] == 1


async def test_no_sms_leaves_while_its_link_cannot_be_written(room: Room) -> None:
    """It is sent once that can be done."""
    links = cast("BookingLinks", Trouble(room.store.links, "issue", fails=2, after=False))
    clerk = LinkClerk(links, SIGNER, "https://call.example.com", room.clock, templates=WITH_LINK)
    room.start(link_for=clerk.link_for)
    await room.owe(1)
    for delay_s in (1, 2):
        assert (await room.logged("sms_store_unavailable"))["doing"] == "link"
        assert await room.clock.slept.get() == delay_s
        assert room.provider.handed_over == []
        room.clock.turn(delay_s)
    await room.logged("sms_sent")


async def test_a_claim_whose_answer_was_lost_is_not_sent_and_a_person_can_see_it(room: Room) -> None:
    """It is marked as being sent, by us or by somebody else: unknown, and the next goes on."""
    room.outbox = cast("SmsOutbox", Trouble(room.store.outbox, "claim", fails=1, after=True))
    room.start()
    await room.owe(1)
    await room.logged("sms_store_unavailable")
    room.clock.turn(1)
    assert "answer to the claim was lost" in (await room.logged("sms_unclear"))["reason"]
    await room.owe(2)
    await room.logged("sms_sent")
    assert await room.statuses() == ["unknown", "sent"]
    assert len(room.provider.handed_over) == 1


async def test_a_claim_that_failed_is_made_again(room: Room) -> None:
    """Nothing was written: the SMS is sent as if nothing had been."""
    room.outbox = cast("SmsOutbox", Trouble(room.store.outbox, "claim", fails=1, after=False))
    room.start()
    await room.owe(1)
    await room.logged("sms_store_unavailable")
    room.clock.turn(1)
    await room.logged("sms_sent")
    assert await room.statuses() == ["sent"]


class Late:
    """An outbox in which a rival claims each SMS between our look and our claim."""

    def __init__(self, outbox: SmsOutbox) -> None:
        self._outbox = outbox
        self.rivals = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._outbox, name)

    async def claim(self, sms: QueuedSms, *args: Any) -> Claim:
        """Let the rival be first."""
        self.rivals += (await self._outbox.claim(sms, *args)).status == "sending"
        return await self._outbox.claim(sms, *args)


async def test_what_another_sender_claimed_is_left_to_it(room: Room) -> None:
    """Of two that saw the same row one sends it."""
    late = Late(room.store.outbox)
    room.outbox = late
    room.start()
    await room.owe(1)
    await room.logged("sms_not_sent")
    assert (late.rivals, room.provider.handed_over) == (1, [])
    assert await room.statuses() == ["sending"]


async def test_the_gateway_runs_beside_and_ends_with_the_sender(room: Room) -> None:
    """It has a connection to keep up; SMS go out meanwhile."""
    ended: list[str] = []

    async def keep_up() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("closed")

    room.provider.running = keep_up
    room.start()
    await room.owe(1)
    await room.logged("sms_sent")
    assert ended == []
    await room.stop()
    assert ended == ["closed"]


async def test_a_gateway_whose_connection_fails_for_good_ends_the_sender(room: Room) -> None:
    """The process is started again by whoever runs it."""

    async def fail() -> None:
        raise RuntimeError("the account is closed")

    room.provider.running = fail
    room.start()
    assert room.task is not None
    await asyncio.wait({room.task})
    assert isinstance(room.task.exception(), ExceptionGroup)
    room.task = None
