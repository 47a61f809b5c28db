"""The doctor without a PBX: the machine, and what answers but is not Asterisk."""

from __future__ import annotations

import asyncio
import socket
import sqlite3
from contextlib import asynccontextmanager, closing
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from controller.doctor import Finding, Level, examine, has_fault
from controller.settings.first_file import DEFAULT_TEMPLATE, with_value

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

ENV = {"ORIKAESHI_ARI_PASSWORD": "k3T-lq0_Wz7pXv2m", "ORIKAESHI_AMI_PASSWORD": "p9S_vb4-Jr1nYc8d"}
GB = 10**9


def settings_file(tmp_path: Path, ari_port: int = 1, ami_port: int = 1) -> Path:
    """Write the default settings with these ports; port 1 is one where nothing listens."""
    text = with_value(DEFAULT_TEMPLATE.read_text("utf-8"), "asterisk", "url", f'"http://127.0.0.1:{ari_port}"')
    path = tmp_path / "controller.toml"
    path.write_text(with_value(text, "asterisk", "ami_port", str(ami_port)), encoding="utf-8")
    return path


async def look(
    path: Path, *, env: dict[str, str] | None = None, free_bytes: Callable[[Path], int] = lambda _: 100 * GB
) -> dict[str, Finding]:
    """Examine without configuration files; the last finding of each check."""
    findings = await examine(
        path, ENV if env is None else env, conf_folders=(), now_s=lambda: 0.0, free_bytes=free_bytes
    )
    return {one.check: one for one in findings}


async def test_settings_with_mistakes_are_findings_and_the_pbx_is_not_asked(tmp_path: Path) -> None:
    """Each mistake is a line of its own."""
    findings = await examine(tmp_path / "none.toml", {}, conf_folders=(), now_s=lambda: 0.0, free_bytes=lambda _: GB)
    assert [one.check for one in findings] == ["settings"] * 3
    assert has_fault(findings)


async def test_a_pbx_that_is_not_there_is_told_once_for_each_door(tmp_path: Path) -> None:
    """Not once for every question that could not be asked."""
    found = await look(settings_file(tmp_path))
    assert found["ARI"].found == "nothing that speaks ARI answers at http://127.0.0.1:1/ari: Connection refused"
    assert found["AMI"].found == "cannot connect to 127.0.0.1:1: Connection refused"
    assert "modules" not in found


async def test_weak_secrets_in_the_environment_are_found_and_not_shown(tmp_path: Path) -> None:
    """No default passwords."""
    env = {"ORIKAESHI_ARI_PASSWORD": "asterisk", "ORIKAESHI_AMI_PASSWORD": "hunter22"}
    findings = await examine(settings_file(tmp_path), env, conf_folders=(), now_s=lambda: 0.0, free_bytes=lambda _: GB)
    assert [one.level for one in findings if one.check == "passwords"] == [Level.FAULT, Level.FAULT]
    assert "hunter22" not in repr(findings)


@pytest.mark.parametrize(
    ("free_mb", "level"), [(49, Level.FAULT), (50, Level.WARNING), (499, Level.WARNING), (500, Level.OK)]
)
async def test_a_disk_that_fills_up_is_told_in_time(tmp_path: Path, free_mb: int, level: Level) -> None:
    """A promise that cannot be written must be refused to the caller."""
    found = await look(settings_file(tmp_path), free_bytes=lambda _: free_mb * 1_000_000)
    assert found["disk (database)"].level is level


async def test_a_database_in_use_by_the_controller_is_in_order(tmp_path: Path) -> None:
    """The doctor may look while calls go on."""
    with closing(sqlite3.connect(tmp_path / "orikaeshi.db")) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("CREATE TABLE t (x)")
        database.commit()
        found = await look(settings_file(tmp_path))
    assert found["database"].level is Level.OK


async def test_a_database_that_somebody_holds_is_told(tmp_path: Path) -> None:
    """A backup that never ends, a second controller."""
    with closing(sqlite3.connect(tmp_path / "orikaeshi.db", isolation_level=None)) as database:
        database.execute("CREATE TABLE t (x)")
        database.execute("BEGIN IMMEDIATE")
        found = await look(settings_file(tmp_path))
    assert "database is locked" in found["database"].found
    assert "second controller" in found["database"].remedy


async def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    """A wrong path in the settings."""
    (tmp_path / "orikaeshi.db").write_text("a diary, by mistake\n" * 50)
    found = await look(settings_file(tmp_path))
    assert "file is not a database" in found["database"].found


async def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    """SQLite would only say that it is unable to open the file."""
    path = settings_file(tmp_path)
    text = with_value(path.read_text("utf-8"), "store", "url", '"sqlite+aiosqlite:///gone/o.db"')
    path.write_text(text, encoding="utf-8")
    found = await look(path)
    assert found["database"].found == f"there is no folder {tmp_path}/gone"


@asynccontextmanager
async def web_server(answer: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[int]:
    """Run a web server that gives `answer` to everything; yield its port."""
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    listener = socket.create_server(("127.0.0.1", 0))
    await web.SockSite(runner, listener).start()
    try:
        yield listener.getsockname()[1]
    finally:
        await runner.cleanup()


async def test_a_web_server_that_is_not_asterisks_is_told(tmp_path: Path) -> None:
    """A wrong port in the settings."""

    async def page(_: web.Request) -> web.StreamResponse:
        return web.Response(status=404, text="<h1>nothing here</h1>")

    async with web_server(page) as port:
        found = await look(settings_file(tmp_path, ari_port=port))
    assert found["ARI"].found.endswith("but not ARI (status 404)")


def old_asterisk(version: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Answer as the ARI of an Asterisk of this version, with no password and nothing else: no real one is so old."""

    async def answer(request: web.Request) -> web.StreamResponse:
        is_info = request.path == "/ari/asterisk/info"
        content: Any = {"system": {"version": version, "entity_id": "00:00"}} if is_info else []
        return web.json_response(content)

    return answer


@pytest.mark.parametrize(
    ("version", "level"),
    [
        ("22.10.0", Level.FAULT),
        ("20.19.3", Level.FAULT),
        ("22.10.1+dfsg+~cs6.17.60671434-1", Level.OK),
        ("22.11.0", Level.OK),
        ("23.0.1", Level.OK),
        ("GIT-master-1a2b3c", Level.WARNING),
    ],
)
async def test_an_asterisk_without_the_fixes_is_a_fault(tmp_path: Path, version: str, level: Level) -> None:
    """Older ones have known holes in ARI."""
    async with web_server(old_asterisk(version)) as port:
        found = await look(settings_file(tmp_path, ari_port=port))
    assert found["version"].level is level


async def test_an_ari_that_answers_without_password_is_a_fault(tmp_path: Path) -> None:
    """Nor does one pass that lists no module, no trunk and no prompt."""
    async with web_server(old_asterisk("22.10.1")) as port:
        found = await look(settings_file(tmp_path, ari_port=port))
    assert found["ARI without password"].level is Level.FAULT
    assert {found[name].level for name in ("modules", "trunk", "agents", "prompts ja", "prompts en")} == {Level.FAULT}


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", "it greets otherwise"),
        (b"", "it greets otherwise"),
        (b"Asterisk Call Manager/11.0.0\r\n", "the connection was closed"),
        (b"Asterisk Call Manager/11.0.0\r\n" + b"x" * 200_000, "the answer has no end"),
    ],
)
async def test_what_does_not_speak_ami_is_told(tmp_path: Path, said: bytes, told: str) -> None:
    """A wrong port, a proxy that closes, a flood: the doctor neither hangs nor grows."""

    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        found = await look(settings_file(tmp_path, ami_port=server.sockets[0].getsockname()[1]))
    assert found["AMI"].found.endswith(f"does not speak AMI: {told}")
