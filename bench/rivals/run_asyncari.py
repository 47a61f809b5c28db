"""asyncari: `async with connect`, operations by their nicknames, `async for` over the events."""

from __future__ import annotations

import asyncio
import logging

import asyncari  # type: ignore[import-not-found]  # there in its own environment
from pace import EventCount, asked, work_off  # type: ignore[import-not-found]


async def main() -> None:
    """Do what is asked for."""
    todo = asked()
    count = EventCount(todo.events)

    async def read(client: asyncari.Client) -> None:
        async for _event in client:
            count.note()

    async with asyncari.connect(todo.base_url, todo.app, todo.user, todo.password) as client:
        client.taskgroup.start_soon(read, client)
        channel = todo.channel

        async def set_variable() -> None:
            await client.channels.setChannelVar(channelId=channel, variable="BENCH", value="1")

        await work_off(todo, {"ping": client.asterisk.ping, "set variable": set_variable}, count)


logging.disable()
asyncio.run(main())
