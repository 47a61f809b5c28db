"""A centre that sends rubbish: the gateway neither falls nor stands still, and keeps no more than it has to."""

from __future__ import annotations

import asyncio
import random
import tracemalloc
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from controller.ports.sms import Accepted
from controller.sms.smpp_wire import LONGEST_PDU_BYTES, DeliverSm, WireError, read_deliver_sm, read_pdu
from lab.smsc import wire
from tests.adapters.smpp_link import OUR_ADDRESS, THEIR_ADDRESS, Link, linked

SEEDS = range(40)
KNOWN = (0x80000000, 0x80000004, 0x80000005, 0x80000009, 0x80000015, 5, 6, 0x15, 0x102, 0x103, 4, 9, 0xB)


def rubbish(dice: random.Random) -> bytes:
    """Return bytes that are a PDU more or less: a frame with chance in it, a real one with errors, or chance alone."""
    body = dice.randbytes(dice.choice((0, 1, 5, 33, 300)))
    frame = b"".join(
        value.to_bytes(4, "big")
        for value in (
            16 + len(body),
            dice.choice((*KNOWN, dice.getrandbits(32))),
            dice.choice((0, 0x58, dice.getrandbits(32))),
            dice.choice((0, 1, 2, 3, dice.getrandbits(32))),
        )
    )
    _, real = wire.Codec().request(
        "deliver_sm",
        source_addr_ton=1,
        source_addr=THEIR_ADDRESS,
        destination_addr=OUR_ADDRESS,
        esm_class=dice.choice((0, 4, 0x40, dice.randrange(256))),
        data_coding=dice.randrange(256),
        short_message=dice.randbytes(dice.randrange(1, 60)),
        message_state=2,
        receipted_message_id="1000",
    )
    bent = bytearray(real)
    for _ in range(dice.randrange(4)):
        bent[dice.randrange(16, len(bent))] = dice.randrange(256)
    return dice.choice((frame + body, bytes(bent), bytes(bent), dice.randbytes(40)))


@pytest.mark.parametrize("seed", SEEDS)
async def test_after_any_rubbish_the_gateway_sends_again(seed: int) -> None:
    """On the same connection or on the next."""
    dice = random.Random(seed)  # noqa: S311 - a test's dice
    with capture_logs() as logs:
        async with linked() as link:
            link.centre.session.writer.write(b"".join(rubbish(dice) for _ in range(50)))
            await link.centre.session.enquired_or_gone()
            assert await recovered(link) == Accepted("1000")
    assert [line for line in logs if line["log_level"] == "error"] == []


async def recovered(link: Link) -> object:
    """Cut what is left of the connection, if the gateway did not; send on the next."""
    link.centre.cut()
    await link.turned_once_sleeping(1)
    await link.bound()
    return await link.send("Hello")


@given(st.binary(max_size=400))
def test_a_body_is_read_or_said_to_be_none(body: bytes) -> None:
    """No other error comes out."""
    with suppress(WireError):
        assert isinstance(read_deliver_sm(body), DeliverSm)


async def test_a_pdu_that_never_ends_takes_no_more_than_the_longest_one() -> None:
    """Its sender is dropped when it does not answer."""
    reader = asyncio.StreamReader()
    reader.feed_data((0x7FFFFFFF).to_bytes(4, "big") + bytes(12))
    with pytest.raises(WireError):
        await read_pdu(reader)


async def test_a_centre_that_floods_us_costs_a_bounded_amount_of_memory() -> None:
    """Thousands of texts, answers to nothing, and beginnings, while nothing can be written down."""
    async with linked() as link:
        link.book.may_write.clear()
        session = link.centre.session
        tracemalloc.start()
        try:
            for number in range(3000):
                link.centre.reply(THEIR_ADDRESS, OUR_ADDRESS, f"text {number}" * 10)
                session.writer.write(session.codec.answer("submit_sm_resp", 9999, message_id="x" * 60))
                if number % 100 == 0:
                    await session.enquired()
            kept = [
                statistic.size
                for statistic in tracemalloc.take_snapshot().statistics("filename")
                if "controller/sms" in statistic.traceback[0].filename
            ]
        finally:
            tracemalloc.stop()
        assert sum(kept) < 10 * LONGEST_PDU_BYTES
        link.book.may_write.set()
