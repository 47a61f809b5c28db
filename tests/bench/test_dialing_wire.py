"""The ear of the dialer's benchmark: which packets it takes for what."""

from __future__ import annotations

import struct

from bench.dialing_wire import ETHERNET, Wire, is_key_up

CARRIER, PBX, AUDIO = 5070, 5060, 18_040
CALL_ID = b"abc@pbx"


def frame(content: bytes, *, from_port: int, to_port: int, protocol: int = 17) -> bytes:
    """Return an Ethernet frame with an IPv4 packet in it."""
    head = bytes((0x45,)) + bytes(8) + bytes((protocol,)) + bytes(10)
    return bytes(ETHERNET) + head + struct.pack("!HHHH", from_port, to_port, 8 + len(content), 0) + content


def to_carrier(first: bytes, *lines: bytes) -> bytes:
    """Return a SIP message of one call, sent to the carrier."""
    return frame(b"\r\n".join([first, b"Call-ID: " + CALL_ID, *lines, b"", b""]), from_port=PBX, to_port=CARRIER)


def from_carrier(first: bytes, *lines: bytes) -> bytes:
    """Return a SIP message of one call, sent by the carrier."""
    return frame(b"\r\n".join([first, b"Call-ID: " + CALL_ID, *lines, b"", b""]), from_port=CARRIER, to_port=PBX)


def key(*, ends: bool, payload_type: int = 101) -> bytes:
    """Return an RTP packet with a key in it (RFC 4733)."""
    return bytes((0x80, payload_type)) + bytes(10) + bytes((1, 0x80 if ends else 0, 0, 160))


def test_a_call_has_the_stamps_of_what_first_passed() -> None:
    """An INVITE that is sent again, or a second BYE, changes nothing."""
    wire = Wire(CARRIER)
    answer = (b"CSeq: 1 INVITE", b"", b"m=audio %d RTP/AVP 0 101" % AUDIO)
    seen = [
        to_carrier(b"INVITE sip:08010000001@127.0.0.1:5070 SIP/2.0"),
        to_carrier(b"INVITE sip:08010000001@127.0.0.1:5070 SIP/2.0"),
        from_carrier(b"SIP/2.0 180 Ringing", b"CSeq: 1 INVITE"),
        from_carrier(b"SIP/2.0 200 OK", *answer),
        frame(key(ends=False), from_port=AUDIO, to_port=18_000),
        frame(key(ends=True), from_port=AUDIO, to_port=18_000),
        frame(key(ends=True), from_port=AUDIO, to_port=18_000),
        from_carrier(b"BYE sip:pbx@127.0.0.1 SIP/2.0"),
        from_carrier(b"BYE sip:pbx@127.0.0.1 SIP/2.0"),
    ]
    for at_ns, each in enumerate(seen, start=1):
        wire.take(each, at_ns)
    (call,) = wire.calls.values()
    assert (call.user, call.rang_ns, call.answered_ns, call.key_ns, call.ended_ns) == ("08010000001", 1, 4, 6, 8)


def test_a_refusal_ends_a_call() -> None:
    """And so does taking it back."""
    for last in (from_carrier(b"SIP/2.0 486 Busy Here", b"CSeq: 1 INVITE"), to_carrier(b"CANCEL sip:x@y SIP/2.0")):
        wire = Wire(CARRIER)
        wire.take(to_carrier(b"INVITE sip:x@y SIP/2.0"), 1)
        wire.take(last, 2)
        assert wire.calls[CALL_ID].ended_ns == 2


def test_a_call_the_other_way_is_none_of_ours() -> None:
    """Callers ring the company from the same port."""
    wire = Wire(CARRIER)
    wire.take(from_carrier(b"INVITE sip:0312345678@127.0.0.1 SIP/2.0"), 1)
    assert not wire.calls


def test_the_answer_to_a_goodbye_is_no_answer_to_the_call() -> None:
    """Both are 200."""
    wire = Wire(CARRIER)
    wire.take(to_carrier(b"INVITE sip:x@y SIP/2.0"), 1)
    wire.take(from_carrier(b"SIP/2.0 200 OK", b"CSeq: 2 BYE"), 2)
    assert wire.calls[CALL_ID].answered_ns == 0


def test_other_traffic_is_passed_over() -> None:
    """Of another protocol, another port, or of no known call."""
    wire = Wire(CARRIER)
    wire.take(frame(b"INVITE sip:x@y SIP/2.0\r\nCall-ID: z\r\n", from_port=1, to_port=CARRIER, protocol=6), 1)
    wire.take(frame(b"INVITE sip:x@y SIP/2.0\r\nCall-ID: z\r\n", from_port=1, to_port=2), 1)
    wire.take(frame(key(ends=True), from_port=AUDIO, to_port=18_000), 1)
    assert not wire.calls


def test_a_key_is_let_go_when_its_last_packet_says_so() -> None:
    """Sound of the same length is not a key."""
    assert is_key_up(key(ends=True))
    assert not is_key_up(key(ends=False))
    assert not is_key_up(key(ends=True, payload_type=0))
    assert not is_key_up(key(ends=True) + bytes(156))
