"""ari-client: `AriClient`, its controller's methods, an async handler for each type of event."""

from __future__ import annotations

import asyncio
import logging
import os

from ari_client import AriClient  # type: ignore[import-not-found]  # there in its own environment
from pace import EventCount, asked, work_off  # type: ignore[import-not-found]


async def main() -> None:
    """Do what is asked for."""
    todo = asked()
    client = AriClient(host=todo.host, port=todo.port, ari_user=todo.user, ari_password=todo.password)
    count = EventCount(todo.events)

    async def handle(_event: object) -> None:
        count.note()

    for kind in todo.kinds:
        client.on_event(kind)(handle)
    await client.connect(app=todo.app)
    channel = todo.channel

    async def set_variable() -> None:
        await client.ari.set_channel_variable(channel, "BENCH", "1")

    await work_off(todo, {"ping": client.ari.ping, "set variable": set_variable}, count)
    # When its socket is closed it never comes to rest (version 0.9.0): leave without a goodbye.
    os._exit(0)


logging.disable()
asyncio.run(main())
