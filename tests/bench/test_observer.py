from __future__ import annotations

import asyncio
import socket
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bench.observer import Phones
from bench.observer_wire import Message, Wire, answer_to, read

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.observer_call import PhoneCall

HERE = "127.0.0.1"
INVITE = (
    b"INVITE sip:agent-1@127.0.0.3:5 SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bKone\r\nVia: SIP/2.0/UDP b\r\n"
    b"From: <sip:1@h>;tag=x\r\nTo: <sip:agent-1@h>\r\nCall-ID: c1\r\nCSeq: 7 INVITE\r\nContent-Length: 5\r\n\r\nv=0\r\n"
)


@contextmanager
def two_sides() -> Iterator[tuple[Phones, Phones]]:
    """Open phones on both sides of a wire: each is the other's PBX."""
    near = Phones(HERE, (HERE, 9))
    far = Phones(HERE, near.wire.address)
    near.pbx = far.wire.address
    near.open()
    far.open()
    try:
        yield near, far
    finally:
        near.close()
        far.close()


def test_a_message_is_read_with_all_of_its_vias_and_without_regard_to_case() -> None:
    """What an answer has to repeat, and what is asked."""
    message = read(INVITE, 12, (HERE, 5))
    assert message is not None
    assert (message.status, message.method, message.user, message.at_ns) == (0, "INVITE", "agent-1", 12)
    assert message.vias == ["SIP/2.0/UDP a;branch=z9hG4bKone", "SIP/2.0/UDP b"]
    assert message.body == "v=0\r\n"


def test_a_keep_alive_says_nothing() -> None:
    """RFC 5626 has phones send two line breaks."""
    assert read(b"\r\n\r\n", 0, (HERE, 5)) is None


def test_an_answer_repeats_what_the_request_had_and_adds_a_tag_once() -> None:
    """RFC 3261, section 8.2.6.2."""
    request = read(INVITE, 0, (HERE, 5))
    assert request is not None
    answer = read(answer_to(request, "200 OK", tag="t", body="v=0\r\n").encode(), 0, (HERE, 5))
    assert answer is not None
    assert (answer.status, answer.vias, answer.body) == (200, request.vias, "v=0\r\n")
    assert {name: answer.headers[name] for name in ("from", "to", "call-id", "cseq", "content-length")} == {
        "from": "<sip:1@h>;tag=x",
        "to": "<sip:agent-1@h>;tag=t",
        "call-id": "c1",
        "cseq": "7 INVITE",
        "content-length": "5",
    }
    request.headers["to"] += ";tag=theirs"
    assert "To: <sip:agent-1@h>;tag=theirs\r\n" in answer_to(request, "200 OK", tag="t")


async def test_a_packet_has_the_time_at_which_the_kernel_had_it_not_that_of_its_reading() -> None:
    """The loop is busy long after it came: its stamp says when it came."""
    heard: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
    wire = Wire(HERE, heard.set_result)
    wire.open()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        before_ns = time.clock_gettime_ns(time.CLOCK_REALTIME)
        sender.sendto(INVITE, wire.address)
        sent_ns = time.clock_gettime_ns(time.CLOCK_REALTIME)
    busy_until_s = time.perf_counter() + 0.05
    while time.perf_counter() < busy_until_s:
        pass
    message = await heard
    wire.close()
    assert before_ns <= message.at_ns <= sent_ns


async def test_a_call_is_answered_and_hung_up_by_the_one_who_was_called() -> None:
    """Both sides know; the instants are in order."""
    with two_sides() as (near, far):
        rung: asyncio.Future[PhoneCall] = asyncio.get_running_loop().create_future()
        far.on_invite = rung.set_result
        made = near.dial("0901", "0312345678")
        came = await rung
        assert came.user == "0312345678"
        came.ring()
        came.answer()
        answered_ns = await made.answered
        hung_up_ns = came.hang_up()
        assert await made.ended == "was hung up"
        assert await came.ended == "hung up"
        assert answered_ns is not None
        assert made.began_ns <= came.began_ns <= answered_ns <= hung_up_ns
        assert (near.calls, far.calls) == ({}, {})


async def test_a_caller_hangs_up_before_and_after_the_answer() -> None:
    """CANCEL before it, BYE after it."""
    with two_sides() as (near, far):
        rung: asyncio.Queue[PhoneCall] = asyncio.Queue()
        far.on_invite = rung.put_nowait
        given_up = near.dial("0901", "1")
        came = await rung.get()
        given_up.hang_up()
        assert await came.ended == "487 Request Terminated"
        assert await given_up.ended == "487 Request Terminated"
        assert await given_up.answered is None
        served = near.dial("0901", "1")
        came = await rung.get()
        came.answer()
        await served.answered
        served.hang_up()
        assert await came.ended == "was hung up"


async def test_a_call_that_is_refused_ends_with_the_answer() -> None:
    """Nobody has set what to do with calls: the phone is busy."""
    with two_sides() as (near, _):
        made = near.dial("0901", "1")
        assert await made.answered is None
        assert await made.ended == "486 Busy Here"


async def test_an_invite_that_nobody_hears_is_sent_again_and_counted() -> None:
    """The far end reads the first one and says nothing."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind((HERE, 0))
        deaf.setblocking(False)
        phones = Phones(HERE, deaf.getsockname())
        phones.open()
        call = phones.dial("0901", "1")
        first = await loop.sock_recv(deaf, 4096)
        assert await loop.sock_recv(deaf, 4096) == first
        assert phones.sent_again == 1
        assert not call.ended.done()
        phones.close()
