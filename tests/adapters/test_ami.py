"""The watcher on AMI: what it follows, what it says when it cannot, and how it comes back."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from controller.asterisk.ami import AmiWatcher
from controller.asterisk.ami_account import AmiAccount
from controller.ports.phones import DeviceState, PbxNews, PhoneStatus
from tests.adapters.ami_server import BOOTED, SECRET, USER, AmiServer, ami_server, block, contact_event, device_event
from tests.adapters.ami_watching import BUSY, IDLE, LISTING, SETTING_UP, Listener, Watch, watching

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def server() -> AsyncIterator[AmiServer]:
    """Run an AMI server that knows one idle phone, agent-1."""
    async with ami_server() as running:
        running.phone("agent-1", "NOT_INUSE", "Reachable")
        yield running


async def test_a_phone_is_listed_and_then_followed_event_by_event(server: AmiServer) -> None:
    """The statuses start from the lists and change with events, in their order."""
    async with watching(server.port) as watch:
        assert watch.watcher.statuses()["agent-1"] == PhoneStatus(
            "agent-1", registered=False, device=DeviceState.UNKNOWN
        )
        fresh = [not watch.watcher.stale]
        await watch.heard.until(IDLE)
        fresh.append(not watch.watcher.stale)
        assert fresh == [False, True]
        assert watch.watcher.statuses()["agent-1"].can_ring
        session = server.sessions[0]
        session.send(device_event("agent-1", "RINGING") + device_event("agent-1", "INUSE"))
        session.send(device_event("agent-9", "INUSE") + contact_event("agent-1", "Unreachable"))
        gone = PhoneStatus("agent-1", registered=False, device=DeviceState.INUSE)
        await watch.heard.until(gone)
        ringing = PhoneStatus("agent-1", registered=True, device=DeviceState.RINGING)
        assert watch.heard.statuses == [IDLE, ringing, BUSY, gone]
        assert session.names == SETTING_UP + LISTING


async def test_the_pbx_says_that_it_starts_and_that_it_stops(server: AmiServer) -> None:
    """FullyBooted is up and lists anew, Shutdown is down; the statuses stay as they were."""
    async with watching(server.port) as watch:
        await watch.heard.until(IDLE)
        server.lists.clear()
        server.phone("agent-1", "INUSE", "Reachable")
        server.sessions[0].send(BOOTED)
        await watch.heard.until(BUSY)
        server.sessions[0].send(block(Event="Shutdown", Shutdown="Cleanly", Restart="False"))
        server.sessions[0].send(device_event("agent-1", "ONHOLD"))
        last_words = PhoneStatus("agent-1", registered=True, device=DeviceState.ONHOLD)
        await watch.heard.until(last_words)
        server.sessions[0].close()
        assert "the other side closed it" in await watch.failure()
        assert watch.watcher.statuses()["agent-1"] == last_words
        assert watch.heard.statuses == [IDLE, BUSY, last_words]
        assert watch.heard.pbx == [PbxNews.UP, PbxNews.UP, PbxNews.DOWN]


async def test_a_peer_that_falls_silent_is_dropped_after_one_missed_ping(server: AmiServer) -> None:
    """A half-open connection is noticed by the ping, and the next connection lists anew."""
    server.unanswered = {"Ping"}
    async with watching(server.port, ping_interval_s=0.01, action_timeout_s=0.1) as watch:
        assert "no answer to Ping within 0.1 s" in await watch.failure()
        assert watch.heard.statuses == [IDLE]
        server.unanswered.clear()
        server.lists.clear()
        server.phone("agent-1", "INUSE", "Reachable")
        watch.clock.let_go()
        await watch.heard.until(BUSY)
        assert not watch.watcher.stale
        assert watch.watcher.problem is None


@pytest.mark.parametrize("action", ["Login", "Filter", *LISTING])
async def test_an_action_that_is_never_answered_ends_the_connection_in_time(server: AmiServer, action: str) -> None:
    """Every action has a deadline."""
    server.unanswered = {action}
    async with watching(server.port, action_timeout_s=0.1) as watch:
        assert f"no answer to {action} within 0.1 s" in await watch.failure()


async def test_an_unanswered_action_is_not_sent_again_on_the_next_connection(server: AmiServer) -> None:
    """Nothing is carried over: the second connection sends its own actions, once each, with ids of their own."""
    server.unanswered = {"DeviceStateList"}
    async with watching(server.port) as watch:
        async with asyncio.timeout(10):
            await server.went_silent.wait()
        server.sessions[0].close()
        await watch.failure()
        server.unanswered.clear()
        watch.clock.let_go()
        await watch.heard.until(IDLE)
        first, second = server.sessions
        assert first.names == [*SETTING_UP, "DeviceStateList"]
        assert second.names == SETTING_UP + LISTING
        ids = [action["ActionID"] for action in first.actions + second.actions]
        assert len(set(ids)) == len(ids)


async def test_a_username_or_secret_with_a_line_break_is_refused_at_once() -> None:
    """The mistake is told when the watcher is made, without the secret in the message."""
    with pytest.raises(ValueError, match="AMI username holds a control character"):
        Watch(1, username="x\r\nAction: Originate")
    with pytest.raises(ValueError, match="AMI secret holds") as refusal:
        Watch(1, secret="hidden\n")
    assert "hidden" not in str(refusal.value)


async def test_a_refused_login_is_told_in_one_line_and_tried_again_slowly(server: AmiServer) -> None:
    """The person reads what to compare; Asterisk is not hammered."""
    with capture_logs() as logs:
        async with watching(server.port, secret="wrong") as watch:
            async with asyncio.timeout(10):
                assert await watch.clock.asked.get() == 60
            problem = watch.watcher.problem or ""
    assert f"login of user '{USER}' refused (Authentication failed)" in problem
    assert "manager.conf" in problem
    assert "\n" not in problem
    assert [log["event"] for log in logs] == ["ami_down"]
    assert "wrong" not in str(logs)


@pytest.mark.parametrize("action", ["Filter", *LISTING])
async def test_a_missing_permission_or_module_is_named(server: AmiServer, action: str) -> None:
    """The line says what was refused and which settings it takes."""
    server.refused = {action: "Permission denied"}
    async with watching(server.port) as watch:
        problem = await watch.failure()
    assert f"{action} refused (Permission denied)" in problem
    assert "write = system,reporting" in problem
    assert "res_manager_devicestate" in problem


async def test_an_asterisk_that_never_says_fully_booted_is_reported(server: AmiServer) -> None:
    """A user without read = system would otherwise leave the watcher blind and quiet."""
    server.after_login = b""
    with capture_logs() as logs:
        async with watching(server.port, ping_interval_s=0.01) as watch:
            async with asyncio.timeout(10):
                for _ in range(5):
                    await server.pings.get()
            assert watch.watcher.stale
            assert "Asterisk has not said FullyBooted" in (watch.watcher.problem or "")
    assert [log["event"] for log in logs] == ["ami_waiting_for_boot"]


async def test_an_address_where_nothing_listens_is_tried_with_growing_pauses() -> None:
    """Half a second, then twice as long each time, to thirty seconds."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: refused
        async with watching(taken.getsockname()[1]) as watch:
            pauses = []
            async with asyncio.timeout(10):
                for _ in range(9):
                    pauses.append(await watch.clock.asked.get())
                    watch.clock.let_go()
            assert pauses == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]
            assert "cannot connect" in (watch.watcher.problem or "")


async def test_the_pause_is_short_again_after_a_connection_that_worked(server: AmiServer) -> None:
    """Earlier failures do not slow down the return from a new one."""
    server.unanswered = {"PJSIPShowEndpoints"}
    async with watching(server.port, action_timeout_s=0.1) as watch, asyncio.timeout(10):
        pauses = [await watch.clock.asked.get()]
        watch.clock.let_go()
        pauses.append(await watch.clock.asked.get())
        server.unanswered.clear()
        watch.clock.let_go()
        await watch.heard.until(IDLE)
        server.sessions[-1].close()
        pauses.append(await watch.clock.asked.get())
        assert pauses == [0.5, 1, 0.5]


async def test_a_subscriber_that_fails_does_not_keep_the_news_from_the_others(server: AmiServer) -> None:
    """Its bug is logged with a traceback; the connection stays."""
    watch = Watch(server.port)
    watcher, heard = (
        AmiWatcher(AmiAccount("127.0.0.1", server.port, USER, SECRET), endpoints=["agent-1"], clock=watch.clock),
        Listener(),
    )

    def broken(_: object) -> None:
        raise LookupError("a bug of the subscriber")

    watcher.subscribe(broken)
    watcher.subscribe(heard.phone)
    with capture_logs() as logs:
        task = asyncio.create_task(watcher.run())
        await heard.until(IDLE)
        server.sessions[0].send(device_event("agent-1", "INUSE"))
        await heard.until(BUSY)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    assert [log["event"] for log in logs if log["log_level"] == "error"] == ["ami_subscriber_failed"] * 2
    assert len(server.sessions) == 1
