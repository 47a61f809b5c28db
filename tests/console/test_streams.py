"""Streams at the door: they leave at once, they count as being used, and they end with the right to them."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import aiohttp
import pytest

from controller.domain.access import Role
from controller.ports.people import PersonChange
from controller.system_clock import SystemClock
from tests.console.house import Answer, ConsoleSite, site_at
from tests.console.test_app import assert_guarded

if TYPE_CHECKING:
    from pathlib import Path


async def test_a_stream_leaves_at_once_and_with_its_headers(tmp_path: Path) -> None:
    """The first event comes while the answer goes on; nothing between keeps it back."""
    async with site_at(tmp_path, clock=SystemClock()) as site:
        supervisor = await site.client(Role.SUPERVISOR)
        async with supervisor.stream("/api/v1/events") as response:
            assert response.status == 200
            assert_guarded(answer_of(response))
            assert response.headers["Content-Type"].startswith("text/event-stream")
            assert "Content-Encoding" not in response.headers
            async with asyncio.timeout(10):
                assert (await response.content.readuntil(b"\n\n")).startswith(b"event:")


@pytest.mark.parametrize("how", ["signed out", "disabled", "removed", "another role", "revoked"])
async def test_a_stream_ends_with_the_right_to_it(tmp_path: Path, how: str) -> None:
    """Soon after the session or key that opened it; no event is told any more."""
    async with site_at(tmp_path, clock=SystemClock(), look_again_s=0.05) as site:
        client = await (site.key("floor:read") if how == "revoked" else site.client(Role.SUPERVISOR, "hanako"))
        async with client.stream("/api/v1/events") as response:
            await response.content.readuntil(b"\n\n")
            await take_away(site, how)
            async with asyncio.timeout(10):
                with suppress(aiohttp.ClientPayloadError):
                    while await response.content.readany():
                        pass
        assert (await client.get("/api/v1/events")).status == 401


async def take_away(site: ConsoleSite, how: str) -> None:
    """Take away what a stream was opened with."""
    now = site.house.now
    match how:
        case "signed out":
            await site.store.sessions.end_all("hanako")
        case "disabled":
            await site.store.people.change("hanako", PersonChange(is_enabled=False), at=now)
        case "removed":
            await site.store.people.remove("hanako")
        case "another role":
            await site.store.people.change("hanako", PersonChange(role=Role.AGENT), at=now)
        case _:
            (key,) = await site.store.keys.listed()
            await site.store.keys.revoke(key.id, now)


def answer_of(response: aiohttp.ClientResponse) -> Answer:
    """Return an answer that goes on, as far as its headers."""
    return Answer(response.status, dict(response.headers), "")


async def test_a_screen_that_is_open_counts_as_being_used(tmp_path: Path) -> None:
    """Nobody touches a wallboard all day; twelve hours after the sign-in it ends all the same."""
    async with site_at(tmp_path, look_again_s=0.02) as site:
        client = await site.client(Role.SUPERVISOR, "hanako")
        async with client.stream("/api/v1/events") as response, asyncio.timeout(60):
            await response.content.readuntil(b"\n\n")
            for _ in range(3):
                site.clock.turn(29 * 60)
                while (await site.store.sessions.of("hanako"))[0].seen_at != site.house.now:
                    await site.store.people.listed()
            assert (await client.get("/api/v1/me")).status == 200
            site.clock.turn(12 * 3600)
            with suppress(aiohttp.ClientPayloadError):
                while await response.content.readany():
                    pass
        assert (await client.get("/api/v1/me")).status == 401
