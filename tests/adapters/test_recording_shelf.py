"""The sound of talks over HTTP: in pieces, whole or not at all, and what a PBX that fails comes to."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from controller.asterisk.ari.client import AriClient
from controller.asterisk.ari.events import RecordingFailed
from controller.asterisk.ari.models import RecordingData
from controller.asterisk.ari.pool import POOL_SIZE, STREAMS, HttpPool
from controller.asterisk.recordings import AriRecordingShelf, note_failure
from controller.ports.calls import PbxUnavailableError
from controller.system_clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]

SOUND = bytes(range(256)) * 1024


@asynccontextmanager
async def pbx_that_gives(answer: Answer) -> AsyncIterator[str]:
    """Open a PBX that gives this answer to everything; its address."""
    app = web.Application()
    app.router.add_route("*", "/ari/{uri:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def shelf_over(answer: Answer) -> AsyncIterator[AriRecordingShelf]:
    """Open a shelf whose PBX gives this answer to everything; no event WebSocket is up."""
    async with pbx_that_gives(answer) as url:
        client = AriClient(
            url,
            "orikaeshi",
            "controller",
            "only-for-this-test",
            on_event=lambda _: None,
            on_connected=lambda: None,
            on_disconnected=lambda: None,
            clock=SystemClock(),
            rng=random.Random(1),  # noqa: S311 - spreads reconnects, of which there are none
            request_timeout_s=0.2,
        )
        try:
            yield AriRecordingShelf(client)
        finally:
            await client.close()


async def read(shelf: AriRecordingShelf) -> list[bytes]:
    """Read a file."""
    return [piece async for piece in shelf.sound("one")]


async def test_a_file_comes_whole_and_in_pieces() -> None:
    """Nobody holds an hour of talk in memory; the file is asked for by its name."""
    asked: list[str] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        asked.append(request.path)
        return web.Response(body=SOUND)

    async with shelf_over(answer) as shelf:
        pieces = await read(shelf)
    assert (b"".join(pieces), asked) == (SOUND, ["/ari/recordings/stored/one/file"])
    assert max(map(len, pieces)) <= len(SOUND) // 4


@pytest.mark.parametrize(
    ("status", "raised"), [(404, LookupError), (401, PbxUnavailableError), (500, PbxUnavailableError)]
)
async def test_a_file_that_cannot_be_had_is_told_before_the_first_piece(status: int, raised: type[Exception]) -> None:
    """Not there, a wrong password, a PBX in trouble."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response({"message": "no"}, status=status)

    async with shelf_over(answer) as shelf:
        with pytest.raises(raised):
            await read(shelf)


@pytest.mark.parametrize("is_cut", [True, False])
async def test_a_file_that_stops_in_the_middle_is_not_taken_for_a_short_one(*, is_cut: bool) -> None:
    """The PBX died, or hangs."""
    held = asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(len(SOUND))})
        await response.prepare(request)
        await response.write(SOUND[:1000])
        if is_cut:
            assert request.transport is not None
            request.transport.abort()
        await held.wait()
        return response

    async with shelf_over(answer) as shelf:
        with pytest.raises(PbxUnavailableError):
            await read(shelf)
        held.set()


async def test_a_file_that_is_not_read_to_its_end_lets_go_of_its_connection() -> None:
    """Whoever listens may go in the middle; more than there are connections do."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(SOUND)

    async with shelf_over(answer) as shelf:
        for _ in range(20):
            sound = shelf.sound("one")
            assert isinstance(sound, AsyncGenerator)
            async with aclosing(sound):
                assert await anext(sound)


async def test_however_many_listen_no_other_request_waits_for_them() -> None:
    """Who listens slowly holds a connection for as long as the talk was."""
    held = asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        if not request.path.startswith("/ari/recordings"):
            return web.json_response({"here": True})
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(SOUND)
        await held.wait()
        return response

    async with pbx_that_gives(answer) as url, AsyncExitStack() as listeners:
        pool = HttpPool(url, "orikaeshi", "only-for-this-test")
        listeners.push_async_callback(pool.close)
        for _ in range(STREAMS):
            pieces = await listeners.enter_async_context(pool.stream("recordings/stored/one/file", 60))
            assert await anext(pieces)
        for _ in range(POOL_SIZE + 1):
            assert await pool.request("GET", "asterisk/ping", None, None, 60) == {"here": True}
        held.set()


async def test_what_cannot_be_asked_is_no_answer() -> None:
    """Without the event WebSocket nothing is paused, and nothing is said to be over."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response({"message": "no"}, status=500)

    async with shelf_over(answer) as shelf:
        for ask in (shelf.pause, shelf.resume, shelf.is_going_on, shelf.erase):
            with pytest.raises(PbxUnavailableError):
                await ask("one")


async def test_a_recording_that_fails_is_told_in_the_log() -> None:
    """By its id, at the level that somebody looks at."""
    with capture_logs() as logs:
        note_failure(RecordingFailed(recording=RecordingData(name="one", cause="no room")))
    (line,) = logs
    assert (line["log_level"], line["recording_id"], line["reason"]) == ("error", "one", "no room")
