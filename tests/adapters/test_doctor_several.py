"""The doctor on a site with several Asterisks: each is looked at, under its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from controller.doctor import Level
from tests.adapters.test_doctor import look, web_server
from tests.adapters.test_settings_asterisks import TWO

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

POSTGRESQL = 'url = "postgresql+asyncpg://orikaeshi@127.0.0.1:5432/orikaeshi"'


def called(name: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Answer as the ARI of an Asterisk with this system name."""

    async def answer(request: web.Request) -> web.StreamResponse:
        is_info = request.path == "/ari/asterisk/info"
        told = {"system": {"version": "22.10.1"}, "config": {"name": name}} if is_info else []
        return web.json_response(told)

    return answer


def site(tmp_path: Path, port: int, *, queues: str = '["support"]') -> Path:
    """Write settings with two Asterisks, of which one is there."""
    text = TWO.replace(POSTGRESQL, f'url = "sqlite+aiosqlite:///{tmp_path}/o.db"').replace('home = "controller-2"', "")
    text = text.replace("http://10.0.0.1:8088", f"http://127.0.0.1:{port}").replace("10.0.0.2:8088", "127.0.0.1:1")
    more = 'dialled_numbers = ["0312345679"]\ntitle_ja = "販売"\ntitle_en = "Sales"\n'
    text = text.replace("[[agents]]", f'[[queues]]\nname = "sales"\n{more}\n[[agents]]', 1)
    text = text.replace('queues = ["support"]', f"queues = {queues}").replace(
        f'asterisk = "pbx-2"\nqueues = {queues}', 'asterisk = "pbx-2"\nqueues = ["support"]'
    )
    path = tmp_path / "controller.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(("name", "level"), [("", Level.FAULT), ("tokyo", Level.WARNING), ("pbx-1", Level.OK)])
async def test_each_has_to_have_a_name_of_its_own(tmp_path: Path, name: str, level: Level) -> None:
    """By which its calls are told from those of the others."""
    async with web_server(called(name)) as port:
        found = await look(site(tmp_path, port, queues='["support", "sales"]'))
    assert found["pbx-1: system name"].level is level


async def test_each_is_looked_at_and_told_of_by_name(tmp_path: Path) -> None:
    """One is there, and the other is not; nobody at the second serves one of the queues."""
    async with web_server(called("pbx-1")) as port:
        found = await look(site(tmp_path, port, queues='["support", "sales"]'))
    assert found["pbx-1: version"].level is Level.OK
    assert found["pbx-2: ARI"].level is Level.FAULT
    assert "pbx-2: version" not in found
    assert "sales" in found["pbx-2: agents"].found
    assert "sales" not in found["pbx-1: agents"].found
