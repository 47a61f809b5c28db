"""The ARI client's requests and events against a server with faults: nothing blocks the reader."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from controller.asterisk.ari.errors import (
    AriConflict,
    AriFailed,
    AriForbidden,
    AriNotFound,
    AriRefused,
    AriTimeout,
    AriUnprocessable,
)
from controller.asterisk.ari.events import ChannelDtmfReceived, StasisStart
from controller.asterisk.ari.wire import EVENT_TYPES
from controller.asterisk.mailbox import Mailbox
from tests.adapters.ari_server import APP, AriServer, ari_server, event, wired

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from controller.asterisk.ari.events import Event

pytestmark = pytest.mark.timeout(20)
PING = ("GET", "asterisk/ping")


@pytest.fixture
async def server() -> AsyncIterator[AriServer]:
    """Run an ARI server without faults."""
    async with ari_server() as running:
        yield running


async def test_many_requests_in_flight_each_get_their_own_answer(server: AriServer) -> None:
    """Answers are matched by request id."""
    async with wired(server.port) as wire:
        await wire.until("up")
        answers = await asyncio.gather(*(wire.client.request("GET", f"channels/c-{n}") for n in range(64)))
        assert [answer["asked"] for answer in answers] == [f"channels/c-{n}" for n in range(64)]


async def test_only_the_events_that_are_used_are_asked_for(server: AriServer) -> None:
    """Filtered at the source; without RESTResponse in the list no answer would come."""
    async with wired(server.port) as wire:
        await wire.until("up")
        asked = server.requests[0]
        assert (asked["method"], asked["uri"]) == ("PUT", f"applications/{APP}/eventFilter")
        allowed = [entry["type"] for entry in json.loads(asked["message_body"])["allowed"]]
        assert sorted(allowed) == sorted([*EVENT_TYPES, "ApplicationReplaced", "RESTResponse"])


async def test_being_connected_is_told_before_the_first_event(server: AriServer) -> None:
    """Recovery looks at what there is before it hears what changes, even when Asterisk is quicker."""
    server.before_filter_answer = [event("StasisStart", args=["inbound"])]
    async with wired(server.port) as wire:
        assert await wire.heard.get() == "up"
        assert isinstance(await wire.heard.get(), StasisStart)


async def test_a_consumer_that_never_reads_delays_neither_events_nor_answers(server: AriServer) -> None:
    """Its events wait in its own mailbox."""
    mailbox = Mailbox()
    async with wired(server.port, on_event=mailbox.post) as wire:
        await wire.until("up")
        for at in range(500):
            await server.send(event("ChannelDtmfReceived", digit=str(at % 10), at_ms=at))
        await wire.client.request(*PING)
        assert len(mailbox) == 500


async def test_frames_that_make_no_sense_do_not_end_the_connection(server: AriServer) -> None:
    """They are counted; the first is logged."""
    async with wired(server.port) as wire:
        await wire.until("up")
        with capture_logs() as logs:
            await server.send(event("StasisStart", args="not a list"))
            await server.send(b"\xff not JSON")
            await server.send(event("ChannelVarset"))
            await server.send(event("ChannelDtmfReceived", digit="7"))
            await wire.until(ChannelDtmfReceived)
        assert (wire.client.frames.undecodable, wire.client.frames.skipped["ChannelVarset"]) == (2, 1)
        assert [line["event"] for line in logs] == ["ari_frame_undecodable"]


async def test_a_handler_that_fails_costs_one_event_and_is_logged(server: AriServer) -> None:
    """Every other call goes on."""
    digits: list[str] = []

    def handler(said: Event) -> None:
        assert isinstance(said, ChannelDtmfReceived)
        digits.append(said.digit)

    async with wired(server.port, on_event=handler) as wire:
        await wire.until("up")
        with capture_logs() as logs:
            await server.send(event("StasisEnd"))
            await server.send(event("ChannelDtmfReceived", digit="7"))
            await wire.client.request(*PING)
        assert digits == ["7"]
        assert wire.client.failed_deliveries == 1
        assert [(line["event"], line["event_type"]) for line in logs] == [("ari_event_handler_failed", "StasisEnd")]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, AriRefused),
        (403, AriForbidden),
        (404, AriNotFound),
        (409, AriConflict),
        (412, AriUnprocessable),
        (422, AriUnprocessable),
        (500, AriFailed),
        (503, AriFailed),
    ],
)
async def test_a_refusal_is_of_its_kind_and_quotes_asterisk_on_both_ways(
    server: AriServer, status: int, kind: type[AriRefused]
) -> None:
    """Over the WebSocket and over HTTP alike."""
    server.refused["channels/x"] = (status, "Because of this")
    async with wired(server.port) as wire:
        await wire.until("up")
        for way in (wire.client.request, wire.client.request_http):
            with pytest.raises(kind, match="Because of this") as refused:
                await way("POST", "channels/x")
            assert type(refused.value) is kind
            assert refused.value.status == status


async def test_a_request_that_stalls_times_out_and_its_late_answer_harms_nobody(server: AriServer) -> None:
    """It may have been carried out, and says so; the next request works."""
    server.silent_uris.add("channels/slow")
    async with wired(server.port) as wire:
        await wire.until("up")
        with pytest.raises(AriTimeout, match="may have been carried out") as timed_out:
            await wire.client.request("POST", "channels/slow", timeout_s=0.05)
        assert timed_out.value.maybe_executed
        with pytest.raises(AriTimeout):
            await wire.client.request_http("POST", "channels/slow", timeout_s=0.05)
        late = server.requests[-1]["request_id"]
        await server.send(f'{{"type":"RESTResponse","request_id":"{late}","status_code":200}}')
        assert (await wire.client.request(*PING))["asked"] == "asterisk/ping"


async def test_a_frame_that_is_too_long_is_refused_and_the_socket_lives(server: AriServer) -> None:
    """Asterisk would cut the connection under everybody."""
    async with wired(server.port) as wire:
        await wire.until("up")
        with pytest.raises(ValueError, match="at most over the WebSocket"):
            await wire.client.request("POST", "channels", body={"variables": {"V": "x" * 66_000}})
        assert (await wire.client.request(*PING))["asked"] == "asterisk/ping"
        assert len(server.sockets) == 1


async def test_lists_go_over_http(server: AriServer) -> None:
    """None of them is seen on the WebSocket."""
    async with wired(server.port) as wire:
        await wire.until("up")
        assert await wire.client.channels.list() == []
        assert await wire.client.bridges.list() == []
        assert await wire.client.endpoints.list() == []
        assert [asked["uri"] for asked in server.requests] == [f"applications/{APP}/eventFilter"]


async def test_an_originate_goes_somewhere_and_to_one_place_only(server: AriServer) -> None:
    """Either into the application or into the dialplan; nothing is sent otherwise."""
    async with wired(server.port) as wire:
        await wire.until("up")
        originate = wire.client.channels.originate
        with pytest.raises(ValueError, match="either app, or context"):
            await originate("PJSIP/1@t", channel_id="a-1", timeout_s=30)
        with pytest.raises(ValueError, match="either app, or context"):
            await originate("PJSIP/1@t", channel_id="a-1", timeout_s=30, app="a", extension="s")
        with pytest.raises(ValueError, match="comma"):
            await wire.client.channels.named("c-1").play(["sound:a,sound:b"], playback_id="p-1")
        assert len(server.requests) == 1
