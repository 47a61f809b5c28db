"""The ARI client's connection: lost, half-open, replaced, refused; what is lost is said at once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from controller.asterisk.ari.client import FIRST_DELAY_S, LONGEST_DELAY_S
from controller.asterisk.ari.errors import (
    AriDisconnected,
    AriForbidden,
    AriReplaced,
    AriTimeout,
    AriUnauthorized,
    AriVersionTooOld,
)
from controller.asterisk.ari.link import SILENT_BEATS
from tests.adapters.ari_server import PASSWORD, AriServer, ari_server, wired

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


pytestmark = pytest.mark.timeout(20)
PING = ("GET", "asterisk/ping")


@pytest.fixture
async def server() -> AsyncIterator[AriServer]:
    """Run an ARI server without faults."""
    async with ari_server() as running:
        yield running


async def test_when_the_socket_is_cut_all_requests_in_flight_fail_at_once(server: AriServer) -> None:
    """Not after their timeout; each says that it may have been carried out."""
    server.silent_uris.add("channels/c-9")
    async with wired(server.port, request_timeout_s=60) as wire:
        await wire.until("up")
        waiting = [asyncio.create_task(wire.client.request("POST", "channels/c-9")) for _ in range(5)]
        for _ in waiting:
            await server.asked("channels/c-9")
        server.cut()
        failures = await asyncio.gather(*waiting, return_exceptions=True)
        assert all(isinstance(failure, AriDisconnected) and failure.maybe_executed for failure in failures)
        assert "connection was cut" in str(failures[0])
        await wire.until("down")
        await wire.until("up")
        assert (await wire.client.request(*PING))["asked"] == "asterisk/ping"


async def test_a_request_without_a_connection_says_that_it_was_not_sent() -> None:
    """So it may be repeated."""
    async with ari_server() as server:
        port = server.port
    async with wired(port) as wire:
        assert not wire.client.connected
        with pytest.raises(AriDisconnected, match="was not sent") as failed:
            await wire.client.request("POST", "channels")
        assert not failed.value.maybe_executed
        with pytest.raises(AriDisconnected) as failed:
            await wire.client.request_http("POST", "channels")
        assert not failed.value.maybe_executed


async def test_who_asks_again_and_again_while_the_socket_is_lost_does_not_keep_it_from_coming_back(
    server: AriServer,
) -> None:
    """A verb repeats its request once there is a connection; that must not starve the loop that makes one."""
    server.silent_uris.add("channels/c-9")

    async def ask_until_answered(uri: str) -> object:
        while True:
            try:
                return await wire.client.request("GET", uri)
            except AriDisconnected:
                await wire.client.wait_connected()

    async with wired(server.port, request_timeout_s=60) as wire:
        await wire.until("up")
        asking = [asyncio.create_task(ask_until_answered(uri)) for uri in ("channels/c-9", "asterisk/ping")]
        await server.asked("channels/c-9")
        server.silent_uris.clear()
        server.cut()
        answers = await asyncio.gather(*asking)
        assert [answer["asked"] for answer in answers if isinstance(answer, dict)] == ["channels/c-9", "asterisk/ping"]


async def test_a_half_open_socket_is_noticed_by_its_silence(server: AriServer) -> None:
    """The far end is gone, TCP does not know it yet: after so many unanswered pings the socket is given up."""
    async with wired(server.port, request_timeout_s=60) as wire:
        await wire.until("up")
        server.deaf = True
        waiting = asyncio.create_task(wire.client.request(*PING))
        for _ in range(SILENT_BEATS + 1):
            assert wire.client.connected
            wire.clock.beat()
        with pytest.raises(AriDisconnected, match="nothing was heard") as failed:
            await waiting
        assert failed.value.maybe_executed
        server.deaf = False
        await wire.until("down")
        await wire.until("up")


async def test_a_quiet_but_living_socket_is_kept(server: AriServer) -> None:
    """Its pongs are enough."""
    async with wired(server.port) as wire:
        await wire.until("up")
        for _ in range(3 * SILENT_BEATS):
            wire.clock.beat()
            await server.pinged()
            await wire.client.request(*PING)
        assert wire.client.connected
        assert wire.heard.empty()


async def test_requests_that_find_no_room_in_the_send_buffer_end_with_the_socket(server: AriServer) -> None:
    """A far end that reads nothing blocks neither the heartbeat nor, for ever, those who send."""
    async with wired(server.port, request_timeout_s=60) as wire:
        await wire.until("up")
        server.block()
        big = {"variables": {"V": "x" * 60_000}}
        waiting = [asyncio.create_task(wire.client.request("POST", "channels", body=big)) for _ in range(200)]
        with pytest.raises(AriTimeout):
            await wire.client.request(*PING, timeout_s=0.05)
        for _ in range(SILENT_BEATS + 1):
            wire.clock.beat()
        await wire.until("down")
        failures = await asyncio.gather(*waiting, return_exceptions=True)
        assert all(isinstance(failure, AriDisconnected) and failure.maybe_executed for failure in failures)
        await wire.until("up")


async def test_reconnecting_waits_longer_each_time_with_jitter_up_to_a_limit() -> None:
    """A PBX that comes back is not stormed, and not kept waiting."""
    async with ari_server() as server:
        port = server.port
    async with wired(port) as wire:
        with capture_logs() as logs:
            delays_s = [await wire.clock.delays_s.get() for _ in range(12)]
        for attempt, delay_s in enumerate(delays_s):
            full_s = min(LONGEST_DELAY_S, FIRST_DELAY_S * 2**attempt)
            assert full_s / 2 <= delay_s <= full_s
        assert len(set(delays_s)) == len(delays_s), "several controllers must not come back in step"
        assert [line["event"] for line in logs] == ["ari_not_connected"], "the same reason is told once"
        async with ari_server(port):
            await wire.until("up")
            assert wire.client.connected
            await wire.client.wait_connected()


async def test_a_client_that_is_replaced_stops_for_good(server: AriServer) -> None:
    """Two controllers that take the application from each other would lose every call."""
    async with wired(server.port) as wire:
        await wire.until("up")
        with capture_logs() as logs:
            await server.send('{"type":"ApplicationReplaced","application":"orikaeshi"}')
            with pytest.raises(AriReplaced, match="Another controller took over"):
                await wire.running
        await wire.until("down")
        assert [(line["event"], line["log_level"]) for line in logs] == [("ari_stopped", "error")]
        assert len(server.sockets) == 1


async def test_a_client_that_is_replaced_before_it_is_up_stops_too(server: AriServer) -> None:
    """Between the handshake and the first answer."""
    server.before_filter_answer = ['{"type":"ApplicationReplaced","application":"orikaeshi"}']
    async with wired(server.port) as wire:
        with pytest.raises(AriReplaced):
            await wire.running


async def test_a_wrong_password_is_one_clear_message_without_the_password(server: AriServer) -> None:
    """It names the user, the place and the file to look into."""
    async with wired(server.port, password="guessed-wrong") as wire:
        with pytest.raises(AriUnauthorized, match=r"\[controller\] of ari.conf") as refused:
            await wire.running
        assert "guessed-wrong" not in str(refused.value)
        assert PASSWORD not in str(refused.value)


async def test_a_user_that_may_only_read_ends_the_run(server: AriServer) -> None:
    """Waiting would not change it."""
    server.read_only = True
    async with wired(server.port) as wire:
        with pytest.raises(AriForbidden):
            await wire.running


@pytest.mark.parametrize("version", ["22.10.0", "22.9.1+dfsg-1", "20.15.2"])
async def test_an_asterisk_that_is_too_old_ends_the_run(server: AriServer, version: str) -> None:
    """Both versions are named."""
    server.version = version
    async with wired(server.port) as wire:
        with pytest.raises(AriVersionTooOld, match=r"22\.10\.1 or newer"):
            await wire.running


@pytest.mark.parametrize("version", ["22.10.1+dfsg+~cs6", "23.0.0", "GIT-22-abc"])
async def test_a_new_or_unknown_version_is_used(server: AriServer, version: str) -> None:
    """A build from source names no number."""
    server.version = version
    async with wired(server.port) as wire:
        await wire.until("up")
        assert wire.client.started_at == "2026-11-22T05:40:01.877+0000"
