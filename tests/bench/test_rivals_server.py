"""The server that all ARI clients are measured against: what it sends is what Asterisk would."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from bench.rivals.server import recorded_events, take_frame, text_frame
from controller.asterisk.ari.wire import FrameReader


def masked(opcode: int, content: bytes, mask: bytes) -> bytes:
    """Return a WebSocket frame from a client, byte by byte (RFC 6455, 5.3)."""
    size = len(content)
    if size < 126:
        length = bytes((0x80 | size,))
    elif size < 65_536:
        length = bytes((0x80 | 126,)) + size.to_bytes(2, "big")
    else:
        length = bytes((0x80 | 127,)) + size.to_bytes(8, "big")
    hidden = bytes(byte ^ mask[at % 4] for at, byte in enumerate(content))
    return bytes((0x80 | opcode,)) + length + mask + hidden


@given(
    st.lists(st.tuples(st.sampled_from([1, 8, 9]), st.binary(max_size=70_000)), max_size=3),
    st.binary(min_size=4, max_size=4),
    st.integers(0, 200),
)
def test_frames_come_out_as_they_were_sent(sent: list[tuple[int, bytes]], mask: bytes, cut: int) -> None:
    """Whatever their length, one behind the other; what is not whole yet is waited for."""
    whole = b"".join(masked(opcode, content, mask) for opcode, content in sent)
    at = min(cut, len(whole))
    data = bytearray(whole[:at])
    found = []
    while (frame := take_frame(data)) is not None:
        found.append(frame)
    data += whole[at:]
    while (frame := take_frame(data)) is not None:
        found.append(frame)
    assert found == sent
    assert not data


def test_each_recorded_event_is_another_one() -> None:
    """A client that drops second copies, as ours does, is not measured with them."""
    events = recorded_events(500)
    reader = FrameReader()
    assert len(set(events)) == 500
    assert all(reader.read(event) is not None for event in events)
    assert (reader.repeated, reader.undecodable, dict(reader.skipped)) == (0, 0, {})


def test_a_call_that_is_replayed_again_is_another_call() -> None:
    """All of its ids are, wherever they stand."""
    events = recorded_events(120)
    first, again = (
        {json.loads(event).get("channel", {}).get("id") for event in some} - {None}
        for some in (events[:60], events[60:])
    )
    assert first
    assert first.isdisjoint(again)
    assert len(first) == len(again)


def test_a_frame_says_how_long_it_is() -> None:
    """In one, three or nine bytes."""
    for size, head in (
        (125, b"\x81\x7d"),
        (126, b"\x81\x7e\x00\x7e"),
        (65_536, b"\x81\x7f" + (65_536).to_bytes(8, "big")),
    ):
        assert text_frame(bytes(size)) == head + bytes(size)
