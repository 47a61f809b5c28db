"""ARI frames: what is sent, what is refused before it is sent, and what is read."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.asterisk.ari.events import ChannelDtmfReceived, RESTResponse
from controller.asterisk.ari.models import instant
from controller.asterisk.ari.wire import LISTS, MAX_FRAME_BYTES, RECENT_FRAMES, FrameReader, encode_request, path
from tests.adapters.ari_server import event

CONTROL = ["\r\nVia: x", "\x00", "\x1b[2J", "\x7f", "\x85", "\u2028", "\ud800"]


def test_a_request_is_what_asterisk_reads() -> None:
    """Field by field as in res/ari/ari_websocket_requests.c."""
    frame = encode_request(
        "7",
        "POST",
        "channels/a-1",
        {"endpoint": "PJSIP/1@t", "timeout": 30, "mute": True, "app": None},
        {"v": {"A": "1"}},
    )
    assert json.loads(frame) == {
        "type": "RESTRequest",
        "request_id": "7",
        "method": "POST",
        "uri": "channels/a-1",
        "query_strings": [
            {"name": "endpoint", "value": "PJSIP/1@t"},
            {"name": "timeout", "value": "30"},
            {"name": "mute", "value": "true"},
        ],
        "content_type": "application/json",
        "message_body": '{"v":{"A":"1"}}',
    }


def test_a_request_without_query_and_body_carries_neither() -> None:
    """Asterisk wants no empty body."""
    assert json.loads(encode_request("1", "GET", "asterisk/ping", None, None)) == {
        "type": "RESTRequest",
        "request_id": "1",
        "method": "GET",
        "uri": "asterisk/ping",
    }


@pytest.mark.parametrize("bad", CONTROL)
def test_control_characters_are_refused_wherever_they_stand(bad: str) -> None:
    """In a query value, a variable's value or name, and a part of the uri; the text is not in the message."""
    text = f"090{bad}"
    for query, body in (
        ({"callerId": text}, None),
        (None, {"variables": {"A": text}}),
        (None, {"variables": {text: "x"}}),
        (None, {"list": [text]}),
    ):
        with pytest.raises(ValueError, match="control characters") as refused:
            encode_request("1", "POST", "channels", query, body)
        assert bad not in str(refused.value)
    with pytest.raises(ValueError, match="control characters"):
        path("channels", text)


def test_japanese_text_is_not_taken_for_control_characters() -> None:
    """The wide space U+3000 stands between family and given names."""
    name = "山田\u3000花子 ガﾞ"
    frame = encode_request("1", "POST", "channels", {"callerId": name}, {"variables": {"NAME": name}})
    assert json.loads(json.loads(frame)["message_body"])["variables"]["NAME"] == name


@pytest.mark.parametrize("uri", ["/channels", "ari/channels", "channels?app=x"])
def test_a_uri_that_asterisk_would_not_find_is_refused(uri: str) -> None:
    """These give 405 and 404 there."""
    with pytest.raises(ValueError, match="leading slash"):
        encode_request("1", "POST", uri, None, None)


@pytest.mark.parametrize("uri", sorted(LISTS))
def test_a_list_never_goes_over_the_websocket(uri: str) -> None:
    """A long one overruns the stack of Asterisk's thread and ends the PBX."""
    with pytest.raises(ValueError, match="request_http"):
        encode_request("1", "GET", uri, None, None)


def test_a_frame_may_be_as_long_as_asterisk_reads_and_not_longer() -> None:
    """One byte more and Asterisk would drop the socket with every request on it."""
    empty = len(encode_request("1", "POST", "channels", {"v": ""}, None))
    room = MAX_FRAME_BYTES - empty
    assert len(encode_request("1", "POST", "channels", {"v": "x" * room}, None)) == MAX_FRAME_BYTES
    with pytest.raises(ValueError, match="65528 bytes"):
        encode_request("1", "POST", "channels", {"v": "x" * (room + 1)}, None)


def test_an_id_with_a_slash_stays_one_part_of_the_uri() -> None:
    """Ids come from outside, too: those of channels that other programs made."""
    assert path("channels", "a/b c+d", "play") == "channels/a%2Fb%20c%2Bd/play"
    with pytest.raises(ValueError, match="empty part"):
        path("channels", "")


def test_an_event_is_typed_and_unknown_fields_are_ignored() -> None:
    """New Asterisk versions add fields."""
    said = FrameReader().read(event("ChannelDtmfReceived", digit="5", duration_ms=120, brand_new=[1]).encode())
    assert isinstance(said, ChannelDtmfReceived)
    assert (said.digit, said.duration_ms, said.channel.id, said.channel.state) == ("5", 120, "c-1", "Up")


def test_an_event_that_is_not_used_is_counted_and_skipped() -> None:
    """By its type, so that a person sees what is sent in vain."""
    reader = FrameReader()
    assert reader.read(event("ChannelVarset").encode()) is None
    assert (reader.skipped["ChannelVarset"], reader.undecodable) == (1, 0)


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"type":5}',
        b'{"type":"StasisStart"}',
        b'{"type":"StasisStart","channel":7}',
        b"[" * 5_000,
    ],
)
def test_a_frame_that_makes_no_sense_is_counted_and_skipped(frame: bytes) -> None:
    """It costs itself, not the connection."""
    reader = FrameReader()
    assert reader.read(frame) is None
    assert (reader.undecodable, dict(reader.skipped)) == (1, {})


@given(st.binary(max_size=300))
def test_no_bytes_at_all_make_the_reader_fail(frame: bytes) -> None:
    """Whatever comes is an event, an answer, or skipped."""
    FrameReader().read(frame)
    FrameReader().read(b'{"type":"StasisEnd","channel":' + frame + b"}")


def test_the_second_copy_of_an_event_is_dropped() -> None:
    """A channel whose endpoint is subscribed to as well has every event sent twice: one key press is one."""
    reader = FrameReader()
    pressed = event("ChannelDtmfReceived", digit="1").encode()
    other = event("ChannelDtmfReceived", digit="1", channel={"id": "c-2"}).encode()
    said = [reader.read(frame) for frame in (pressed, other, pressed, other)]
    assert [getattr(one, "digit", None) for one in said] == ["1", "1", None, None]
    assert reader.repeated == 2


def test_the_same_key_pressed_again_counts_again() -> None:
    """Its time differs, and so does the frame."""
    reader = FrameReader()
    said = [reader.read(event("ChannelDtmfReceived", digit="1", at_ms=at).encode()) for at in (0, 1)]
    assert None not in said


def test_only_the_last_frames_are_remembered() -> None:
    """The memory of what came does not grow."""
    reader = FrameReader()
    first = event("ChannelDtmfReceived", digit="1").encode()
    reader.read(first)
    for at in range(RECENT_FRAMES):
        reader.read(event("ChannelDtmfReceived", digit="2", at_ms=at).encode())
    assert reader.read(first) is not None


def test_an_answer_is_never_taken_for_a_repetition() -> None:
    """Two sockets may give the same request id to the same question."""
    reader = FrameReader()
    answer = b'{"type":"RESTResponse","request_id":"1","status_code":204}'
    assert isinstance(reader.read(answer), RESTResponse)
    assert isinstance(reader.read(answer), RESTResponse)


def test_aris_time_is_read_as_utc_and_a_time_without_zone_is_refused() -> None:
    """ARI writes the zone without a colon."""
    assert instant("2026-11-22T14:40:01.877+0900") == datetime(2026, 11, 22, 5, 40, 1, 877_000, tzinfo=UTC)
    with pytest.raises(ValueError, match="without a zone"):
        instant("2026-11-22T05:40:01.877")
