"""aioari: `connect`, operations by their nicknames, a callback for each type of event, which gets objects.

With the argument `dicts` callbacks get the plain dictionaries alone (`on_event`): quicker, but nothing to work with.
"""

from __future__ import annotations

import asyncio
import sys

import aioari  # type: ignore[import-not-found]  # there in its own environment
from pace import EventCount, asked, work_off  # type: ignore[import-not-found]


def subscribe(client: aioari.Client, kind: str, note: object) -> None:
    """Register a callback for objects: those that stand in this type of event."""
    by_prefix = {
        "Playback": client.on_playback_event,
        "Recording": client.on_live_recording_event,
        "BridgeDestroyed": client.on_bridge_event,
        "ContactStatus": client.on_endpoint_event,
        "PeerStatus": client.on_endpoint_event,
    }
    found = [on for prefix, on in by_prefix.items() if kind.startswith(prefix)]
    (found[0] if found else client.on_channel_event)(kind, note)


async def main() -> None:
    """Do what is asked for."""
    todo = asked()
    client = await aioari.connect(todo.base_url, todo.user, todo.password)
    count = EventCount(todo.events)
    for kind in todo.kinds:
        if "dicts" in sys.argv[2:]:
            client.on_event(kind, count.note)
        else:
            subscribe(client, kind, count.note)
    running = asyncio.create_task(client.run(apps=todo.app))
    await asyncio.sleep(0.5)  # It does not tell when its socket is open.
    channel = todo.channel

    async def set_variable() -> None:
        await client.channels.setChannelVar(channelId=channel, variable="BENCH", value="1")

    await work_off(todo, {"ping": client.asterisk.ping, "set variable": set_variable}, count)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await client.close()


asyncio.run(main())
