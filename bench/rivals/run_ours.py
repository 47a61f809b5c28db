"""Ours: `AriClient`, over the event WebSocket or, with the argument `http`, over its pool of HTTP connections."""

from __future__ import annotations

import asyncio
import logging
import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import structlog

from bench.rivals.pace import EventCount, asked, work_off
from controller.asterisk.ari.client import AriClient
from controller.system_clock import SystemClock


async def main() -> None:
    """Do what is asked for."""
    todo = asked()
    count = EventCount(todo.events)
    client = AriClient(
        f"http://{todo.host}:{todo.port}",
        todo.app,
        todo.user,
        todo.password,
        on_event=count.note,
        on_connected=lambda: None,
        on_disconnected=lambda: None,
        clock=SystemClock(),
        rng=random.Random(1),  # noqa: S311 - spreads reconnects, guards nothing
    )
    running = asyncio.create_task(client.run())
    await client.wait_connected()
    request = client.request_http if "http" in sys.argv[2:] else client.request
    channel = client.channels.named(todo.channel)

    async def ping() -> None:
        await request("GET", "asterisk/ping")

    async def set_variable() -> None:
        if request == client.request:
            await channel.set_channel_var("BENCH", "1")
        else:
            await request("POST", f"channels/{todo.channel}/variable", query={"variable": "BENCH", "value": "1"})

    await work_off(todo, {"ping": ping, "set variable": set_variable}, count)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
asyncio.run(main())
