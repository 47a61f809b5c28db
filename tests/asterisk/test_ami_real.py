"""The AMI watcher against a real Asterisk with real SIP phones."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from controller.asterisk.ami import AmiWatcher
from controller.asterisk.ami_account import AmiAccount
from controller.asterisk.ami_wire import open_ami
from controller.ports.phones import DeviceState, PbxNews, PhoneStatus
from controller.provision.site import CONTROL_HOST
from controller.system_clock import SystemClock
from lab.pbx import running_pair
from lab.phone import PhoneShelf
from tests.adapters.ami_watching import Listener

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from controller.provision import Site
    from lab.pbx import Asterisk

GONE = PhoneStatus("agent-1", registered=False, device=DeviceState.UNAVAILABLE)
IDLE = PhoneStatus("agent-1", registered=True, device=DeviceState.NOT_INUSE)
BUSY = PhoneStatus("agent-1", registered=True, device=DeviceState.BUSY)
"""Agents take one call at a time: with `device_state_busy_at = 1` both ringing and talking are BUSY."""
PLAIN_PASSWORD = secrets.token_urlsafe(16)
PLAIN_PHONE = f"""
[plain](agent)
auth = plain
aors = plain
device_state_busy_at = 0
[plain](agent-aor)
[plain](account)
username = plain
password = {PLAIN_PASSWORD}
"""
TRUNK_UP = PhoneStatus("carrier", registered=True, device=DeviceState.NOT_INUSE)
TRUNK_DOWN = PhoneStatus("carrier", registered=False, device=DeviceState.UNAVAILABLE)


@pytest.fixture(scope="module")
async def pair(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Site, Asterisk, Asterisk]]:
    """Run the PBX and the telephone network, once for all tests here."""
    async with running_pair(tmp_path_factory.mktemp("ami"), agents=2, customers=1) as (site, pbx, carrier):
        (site.pbx_site / "pjsip-local.conf").write_text(PLAIN_PHONE, encoding="utf-8")
        await pbx.restart()
        yield site, pbx, carrier


def watcher_for(site: Site, **overrides: Any) -> AmiWatcher:
    """Return a watcher with the site's own account."""
    account = AmiAccount(
        CONTROL_HOST,
        site.ports.ami,
        site.ami_user,
        overrides.pop("secret", site.ami_password),
        overrides.pop("action_timeout_s", 3),
    )
    values: dict[str, Any] = {
        "endpoints": ["agent-1", "agent-2", "plain", "carrier"],
        "clock": SystemClock(),
    }
    return AmiWatcher(account, **(values | overrides))


@asynccontextmanager
async def watching(site: Site, **overrides: Any) -> AsyncIterator[tuple[AmiWatcher, Listener]]:
    """Run a watcher for the length of the block; it is fresh when the block begins."""
    watcher, heard = watcher_for(site, **overrides), Listener()
    watcher.subscribe(heard.phone)
    watcher.subscribe_pbx(heard.news)
    task = asyncio.create_task(watcher.run())
    try:
        await heard.until(TRUNK_UP, within_s=20)
        yield watcher, heard
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def ring(site: Site, endpoint: str) -> None:
    """Ring a phone, through ARI; once it answers it hears the dialplan's way without a controller."""
    login = aiohttp.encode_basic_auth(site.ari_user, site.ari_password)
    target = {"endpoint": endpoint, "context": "orikaeshi-fallback", "extension": "s", "priority": 1}
    async with (
        aiohttp.ClientSession(headers={"Authorization": login}) as http,
        http.post(f"{site.ari_url}/channels", json=target) as answer,
    ):
        assert answer.status == HTTPStatus.OK, await answer.text()


async def test_a_phone_is_seen_to_register_to_be_called_and_to_leave(pair: tuple[Site, Asterisk, Asterisk]) -> None:
    """Every change comes as an event, in order, and at no other moment can the phone ring."""
    site, _, _ = pair
    account = site.agents[0]
    async with watching(site) as (watcher, heard), PhoneShelf() as shelf:
        assert watcher.statuses()["agent-1"] == GONE
        assert watcher.problem is None
        phone = await shelf.add(account.user, account.password, site.host, site.ports.sip)
        await phone.register()
        await heard.until(IDLE)
        await ring(site, "PJSIP/agent-1")
        call = await phone.rings()
        await heard.until(BUSY)
        await call.answer()
        await call.hang_up()
        await heard.until(IDLE)
        await phone.unregister()
        await heard.until(GONE)
        mine = [status for status in heard.statuses if status.endpoint == "agent-1"]
        assert [status for status in mine if status in (IDLE, BUSY, GONE)] == [GONE, IDLE, BUSY, IDLE, GONE]
        assert [status for status in mine if status.can_ring] == [IDLE, IDLE]


async def test_ringing_and_talking_differ_on_a_phone_that_takes_several_calls(
    pair: tuple[Site, Asterisk, Asterisk],
) -> None:
    """Without `device_state_busy_at` Asterisk tells the two apart."""
    site, _, _ = pair
    async with watching(site) as (_, heard), PhoneShelf() as shelf:
        phone = await shelf.add("plain", PLAIN_PASSWORD, site.host, site.ports.sip)
        await phone.register()
        await ring(site, "PJSIP/plain")
        call = await phone.rings()
        await heard.until(PhoneStatus("plain", registered=True, device=DeviceState.RINGING))
        await call.answer()
        await heard.until(PhoneStatus("plain", registered=True, device=DeviceState.INUSE))


async def test_a_phone_that_registered_before_the_watcher_came_is_listed(
    pair: tuple[Site, Asterisk, Asterisk],
) -> None:
    """The first status is read from the lists, also for a phone that no event ever named."""
    site, _, _ = pair
    account = site.agents[1]
    async with PhoneShelf() as shelf:
        phone = await shelf.add(account.user, account.password, site.host, site.ports.sip)
        async with watching(site) as (_, heard):
            await phone.register()
            await heard.until(PhoneStatus("agent-2", registered=True, device=DeviceState.NOT_INUSE))
        async with watching(site) as (watcher, heard):
            assert watcher.statuses()["agent-2"].can_ring
            assert len([status for status in heard.statuses if status.endpoint == "agent-2"]) == 1


async def test_an_endpoint_that_is_not_configured_is_invalid(pair: tuple[Site, Asterisk, Asterisk]) -> None:
    """A real Asterisk has no such endpoint in its list."""
    async with watching(pair[0], endpoints=["carrier", "agent-99"]) as (watcher, _):
        assert watcher.statuses()["agent-99"].device is DeviceState.INVALID


async def test_a_trunk_that_dies_and_comes_back_is_seen(pair: tuple[Site, Asterisk, Asterisk]) -> None:
    """Its contact stands in the configuration and is qualified."""
    site, pbx, carrier = pair
    async with watching(site) as (_, heard):
        await carrier.kill9()
        await pbx.cli("pjsip qualify carrier")
        await heard.until(TRUNK_DOWN, within_s=20)
        await carrier.start()
        await pbx.cli("pjsip qualify carrier")
        await heard.until(TRUNK_UP, within_s=20)


async def test_a_wrong_secret_is_told_in_one_line(pair: tuple[Site, Asterisk, Asterisk]) -> None:
    """Asterisk's own refusal, which it delays by a second, is not mistaken for silence."""
    asked: asyncio.Queue[float] = asyncio.Queue()

    class Recorder(SystemClock):
        async def sleep(self, delay_s: float) -> None:
            asked.put_nowait(delay_s)
            await asyncio.Event().wait()

    watcher = watcher_for(pair[0], secret="not-the-secret", clock=Recorder())
    task = asyncio.create_task(watcher.run())
    async with asyncio.timeout(10):
        assert await asked.get() == 60
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert "refused (Authentication failed)" in (watcher.problem or "")


async def test_asterisk_frozen_in_mid_flight_is_noticed_and_followed_again(
    pair: tuple[Site, Asterisk, Asterisk],
) -> None:
    """A stopped process keeps its socket open and says nothing: only the ping tells."""
    site, pbx, _ = pair
    pauses: asyncio.Queue[float] = asyncio.Queue()

    class Recorder(SystemClock):
        async def sleep(self, delay_s: float) -> None:
            pauses.put_nowait(delay_s)
            await super().sleep(0.05)

    async with watching(site, clock=Recorder(), ping_interval_s=0.1, action_timeout_s=0.5) as (watcher, heard):
        before = watcher.statuses()
        assert pbx.pid is not None
        os.kill(pbx.pid, signal.SIGSTOP)
        try:
            async with asyncio.timeout(10):
                await pauses.get()
            assert watcher.stale
            assert "within 0.5 s" in (watcher.problem or "")
            assert watcher.statuses() == before
        finally:
            os.kill(pbx.pid, signal.SIGCONT)
        await heard.until_pbx(PbxNews.UP, 2)


async def test_a_stop_and_a_crash_of_asterisk_are_told_and_survived(pair: tuple[Site, Asterisk, Asterisk]) -> None:
    """A stop is announced, a crash is not; after both the watcher is back by itself."""
    site, pbx, _ = pair
    async with watching(site) as (_, heard):
        await pbx.restart()
        await heard.until_pbx(PbxNews.DOWN)
        await heard.until_pbx(PbxNews.UP, 2, within_s=20)
        await pbx.kill9()
        await pbx.start()
        await heard.until_pbx(PbxNews.UP, 3, within_s=20)
        await heard.until(TRUNK_UP, within_s=20)
        assert heard.pbx == [PbxNews.UP, PbxNews.DOWN, PbxNews.UP, PbxNews.UP]


async def test_the_account_may_not_place_a_call_even_without_our_guard(
    pair: tuple[Site, Asterisk, Asterisk],
) -> None:
    """The second lock: what asterisk-conf grants is too little to act on calls or settings.

    Queue members of app_queue it may change: Asterisk has no smaller class with which the queue_log can be written.
    """
    site, _, _ = pair
    reader, writer = await asyncio.open_connection(CONTROL_HOST, site.ports.ami)
    login = f"Action: Login\r\nUsername: {site.ami_user}\r\nSecret: {site.ami_password}\r\nEvents: off\r\n\r\n"
    try:
        writer.write(login.encode())
        assert b"Authentication accepted" in await reader.readuntil(b"\r\n\r\n")
        for action in ("Originate", "Command", "Redirect", "BlindTransfer", "UpdateConfig"):
            writer.write(f"Action: {action}\r\n\r\n".encode())
            assert b"Permission denied" in await reader.readuntil(b"\r\n\r\n"), action
    finally:
        writer.close()
        await writer.wait_closed()


async def test_one_action_after_another_is_answered_by_a_real_asterisk(
    pair: tuple[Site, Asterisk, Asterisk],
) -> None:
    """A hundred pings on one connection, each with its own answer."""
    site, _, _ = pair
    async with open_ami(CONTROL_HOST, site.ports.ami, on_event=print, action_timeout_s=3) as connection:
        await connection.act("Login", Username=site.ami_user, Secret=site.ami_password, Events="off")
        for _ in range(100):
            (answer,) = await connection.act("Ping")
            assert answer["Ping"] == "Pong"
