"""Mailboxes and the switchboard: every event to the call it belongs to, once, in order."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.asterisk.ari.events import (
    BridgeDestroyed,
    ChannelCreated,
    ChannelDtmfReceived,
    ChannelEnteredBridge,
    ContactStatusChange,
    Dial,
    Event,
    PlaybackFinished,
    RecordingFinished,
    StasisEnd,
    StasisStart,
)
from controller.asterisk.ari.models import (
    BridgeData,
    ChannelData,
    ContactData,
    EndpointData,
    PlaybackData,
    RecordingData,
)
from controller.asterisk.mailbox import Mailbox
from controller.asterisk.switchboard import Switchboard

A, B, X = ChannelData("a"), ChannelData("b"), ChannelData("x")


def key(digit: str, channel: ChannelData = A) -> Event:
    """Return a key press."""
    return ChannelDtmfReceived(channel=channel, digit=digit)


async def test_events_come_out_in_the_order_in_which_they_were_posted() -> None:
    """Those that were there before the reader, and those that come while it waits."""
    mailbox = Mailbox()
    mailbox.post(key("1"))
    mailbox.post(key("2"))
    assert [await mailbox.next(), await mailbox.next()] == [key("1"), key("2")]
    waiting = asyncio.create_task(mailbox.next())
    await asyncio.sleep(0)
    mailbox.post(key("3"))
    mailbox.post(key("4"))
    assert [await waiting, await mailbox.next()] == [key("3"), key("4")]
    assert len(mailbox) == 0


async def test_a_reader_that_is_cancelled_takes_no_event_with_it() -> None:
    """Even when the event came in the same instant: a race that is lost loses no key."""
    mailbox = Mailbox()
    waiting = asyncio.create_task(mailbox.next())
    await asyncio.sleep(0)
    mailbox.post(key("1"))
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert await mailbox.next() == key("1")


async def test_waiting_leaves_the_event_where_it_is() -> None:
    """So that it can be raced against other things."""
    mailbox = Mailbox()
    waiting = asyncio.create_task(mailbox.wait())
    await asyncio.sleep(0)
    mailbox.post(key("1"))
    await waiting
    await mailbox.wait()
    assert len(mailbox) == 1


async def test_a_second_reader_is_refused() -> None:
    """Two would tear the order apart."""
    mailbox = Mailbox()
    waiting = asyncio.create_task(mailbox.next())
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="somebody reads"):
        await mailbox.next()
    mailbox.post(key("1"))
    assert await waiting == key("1")


def test_a_flood_of_keys_fills_no_memory_and_hides_no_hangup() -> None:
    """Keys beyond the capacity are dropped and counted, anything else is kept."""
    mailbox = Mailbox(capacity=10)
    for _ in range(100):
        mailbox.post(key("1"))
    mailbox.post(StasisEnd(channel=A))
    assert (len(mailbox), mailbox.dropped) == (11, 90)


def switchboard() -> tuple[Switchboard, Mailbox, Mailbox, list[Event]]:
    """Return one with mailboxes for channels a and b, and the list of its strays."""
    strays: list[Event] = []
    board, first, second = Switchboard(strays.append), Mailbox(), Mailbox()
    board.register("a", first)
    board.register("b", second)
    return board, first, second, strays


TO_A: list[Event] = [
    StasisStart(channel=A),
    key("1"),
    PlaybackFinished(playback=PlaybackData("p", target_uri="channel:a")),
    RecordingFinished(recording=RecordingData("r", target_uri="channel:a")),
    Dial(peer=A),
    Dial(peer=A, caller=X),
    ChannelEnteredBridge(bridge=BridgeData("m", channels=("a", "b")), channel=A),
    BridgeDestroyed(bridge=BridgeData("m", channels=("a",))),
]
STRAY: list[Event] = [
    StasisStart(channel=X),
    PlaybackFinished(playback=PlaybackData("p", target_uri="bridge:a")),
    ChannelEnteredBridge(bridge=BridgeData("m", channels=("a",))),
    BridgeDestroyed(bridge=BridgeData("m")),
    ContactStatusChange(endpoint=EndpointData("PJSIP", "a"), contact_info=ContactData()),
]


@pytest.mark.parametrize("said", TO_A, ids=lambda said: type(said).__name__)
def test_an_event_goes_to_its_channel_alone(said: Event) -> None:
    """By channel id, or by the target of a sound."""
    board, first, second, strays = switchboard()
    board.deliver(said)
    assert (len(first), len(second), strays) == (1, 0, [])


@pytest.mark.parametrize("said", STRAY, ids=lambda said: type(said).__name__)
def test_an_event_of_nobody_is_a_stray(said: Event) -> None:
    """A new caller, above all."""
    board, first, second, strays = switchboard()
    board.deliver(said)
    assert (len(first), len(second), strays) == (0, 0, [said])


def test_an_event_of_two_channels_goes_to_both_and_once_to_a_shared_mailbox() -> None:
    """A call may read for both of its legs."""
    board, first, second, strays = switchboard()
    board.deliver(BridgeDestroyed(bridge=BridgeData("m", channels=("a", "b"))))
    board.register("a2", first)
    board.deliver(Dial(peer=ChannelData("a2"), caller=A))
    assert (len(first), len(second), strays) == (2, 1, [])


def test_a_channel_has_one_mailbox_for_as_long_as_it_is_registered() -> None:
    """A second one is refused; after the block its events are strays again."""
    strays: list[Event] = []
    board, mailbox = Switchboard(strays.append), Mailbox()
    with board.registered("a", mailbox):
        assert "a" in board
        with pytest.raises(ValueError, match="has a mailbox already"):
            board.register("a", Mailbox())
        board.deliver(ChannelCreated(channel=A))
    board.deliver(StasisEnd(channel=A))
    assert (len(mailbox), strays, len(board)) == (1, [StasisEnd(channel=A)], 0)


@given(st.lists(st.sampled_from("abx"), max_size=50))
def test_no_event_is_lost_or_doubled(names: list[str]) -> None:
    """Whatever comes in whatever order is somewhere exactly once."""
    board, first, second, strays = switchboard()
    for name in names:
        board.deliver(key("1", ChannelData(name)))
    assert (len(first), len(second), len(strays)) == (names.count("a"), names.count("b"), names.count("x"))
