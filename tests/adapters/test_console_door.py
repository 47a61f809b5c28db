"""The console of a process: what it is made of from the settings, and where it can be asked."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import aiohttp
import pytest

from controller.console_door import console_house, console_server
from controller.settings import SettingsError, load_settings
from controller.settings.first_file import DEFAULT_TEMPLATE, with_value
from controller.store import open_store
from controller.system_clock import SystemClock
from tests.console.floor import ScriptedFloor

if TYPE_CHECKING:
    from pathlib import Path

    from controller.settings import Settings


def settings_with(folder: Path, **console: str) -> Settings:
    """Return the default settings with some of the console's, as TOML."""
    text = DEFAULT_TEMPLATE.read_text("utf-8")
    for key, value in console.items():
        text = text.replace(f"#{key} = ", f"{key} = ") if f"#{key} = " in text and key == "public_url" else text
        text = with_value(text, "console", key, value)
    path = folder / "controller.toml"
    path.write_text(text, encoding="utf-8")
    return load_settings(path, {}, needs_secrets=False)


@pytest.mark.parametrize(
    ("console", "address", "host"),
    [
        ({}, "http://127.0.0.1:8083", "127.0.0.1:8083"),
        ({"host": '"::1"'}, "http://[::1]:8083", "[::1]:8083"),
        ({"port": "80"}, "http://127.0.0.1", "127.0.0.1"),
    ],
)
async def test_browsers_ask_for_the_address_that_the_house_knows(
    tmp_path: Path, console: dict[str, str], address: str, host: str
) -> None:
    """As they write it, without the usual port: what they send is compared with it."""
    settings, clock = settings_with(tmp_path, **console), SystemClock()
    assert settings.console.address == address
    url = f"sqlite+aiosqlite:///{tmp_path}/orikaeshi.db"
    async with open_store(url, policies={}, clock=clock, new_id=lambda: "id") as store:
        house = console_house(settings, store, ScriptedFloor(clock), clock)
    assert (house.host, house.origin) == (host, address)
    assert house.idle_s == 30 * 60
    assert house.longest_session_s == 12 * 3600
    assert set(house.queues) == {queue.name for queue in settings.queues}
    queue = next(iter(house.queues))
    noon, night = datetime(2026, 11, 24, 3, tzinfo=UTC), datetime(2026, 11, 24, 15, tzinfo=UTC)
    assert house.may_be_called("+819012345678", queue, noon)
    assert not house.may_be_called("+819012345678", queue, night)
    assert not house.may_be_called("+16502530000", queue, noon)


def test_a_public_address_counts_and_its_usual_port_does_not(tmp_path: Path) -> None:
    """Port 443 of https is what a browser leaves out."""
    path = tmp_path / "controller.toml"
    default = DEFAULT_TEMPLATE.read_text("utf-8")
    for told, address in (
        ("https://orikaeshi.example.jp", "https://orikaeshi.example.jp"),
        ("https://orikaeshi.example.jp:443", "https://orikaeshi.example.jp"),
        ("https://orikaeshi.example.jp:8443/", "https://orikaeshi.example.jp:8443"),
    ):
        text = default.replace('#public_url = "https://orikaeshi.example.jp"', f'public_url = "{told}"')
        path.write_text(text, encoding="utf-8")
        assert load_settings(path, {}, needs_secrets=False).console.address == address


def test_a_console_for_others_needs_an_address_with_https(tmp_path: Path) -> None:
    """Passwords do not go over a network in clear: either a proxy encrypts, or it is for this machine alone."""
    with pytest.raises(SettingsError, match="console: needs public_url"):
        settings_with(tmp_path, enabled="true", host='"0.0.0.0"')
    text = DEFAULT_TEMPLATE.read_text("utf-8")
    (tmp_path / "controller.toml").write_text(
        text.replace('#public_url = "https://orikaeshi.example.jp"', 'public_url = "http://orikaeshi.example.jp"')
    )
    with pytest.raises(SettingsError, match="must begin with https"):
        load_settings(tmp_path / "controller.toml", {}, needs_secrets=False)
    assert settings_with(tmp_path, enabled="true").console.enabled


async def test_the_console_of_the_settings_can_be_asked(tmp_path: Path) -> None:
    """At its port; a taken one is told with the setting that names it."""
    free = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = free.sockets[0].getsockname()[1]
    free.close()
    await free.wait_closed()
    settings, clock = settings_with(tmp_path, enabled="true", port=str(port)), SystemClock()
    url = f"sqlite+aiosqlite:///{tmp_path}/orikaeshi.db"
    async with open_store(url, policies={}, clock=clock, new_id=lambda: "id") as store:
        server = console_server(settings, store, ScriptedFloor(clock), clock)
        serving = asyncio.create_task(server.run())
        try:
            async with asyncio.timeout(10):
                await server.listening.wait()
                async with (
                    aiohttp.ClientSession() as session,
                    session.get(f"{settings.console.address}/sign-in") as page,
                ):
                    assert page.status == 200
                    assert "Strict-Transport-Security" not in page.headers
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)
