"""How quick the ARI client is: requests a second on a real Asterisk, and CPU time per event.

.venv/bin/python -m bench.ari_client
"""

from __future__ import annotations

import asyncio
import json
import random
import tempfile
import time
from pathlib import Path

import structlog

from controller.asterisk.ari.client import AriClient
from controller.asterisk.ari.wire import FrameReader
from controller.asterisk.mailbox import Mailbox
from controller.asterisk.switchboard import Switchboard
from controller.system_clock import SystemClock
from lab.pbx import running_pair

REQUESTS = 10_000
EVENTS = 50_000


async def requests_per_second(client: AriClient, in_flight: int, *, over_http: bool) -> float:
    """Send pings, so many at a time."""
    send = client.request_http if over_http else client.request

    async def one_after_the_other() -> None:
        for _ in range(REQUESTS // in_flight):
            await send("GET", "asterisk/ping")

    began_s = time.perf_counter()
    await asyncio.gather(*(one_after_the_other() for _ in range(in_flight)))
    return REQUESTS / (time.perf_counter() - began_s)


def event_cost_us() -> float:
    """Return the CPU time from a frame's bytes to the mailbox of its call, in microseconds."""
    board, reader = Switchboard(lambda _: None), FrameReader()
    board.register("c-1", Mailbox(capacity=EVENTS))
    channel = {
        "id": "c-1", "name": "PJSIP/carrier-00000001", "state": "Up", "protocol_id": "1fa2", "accountcode": "",
        "caller": {"name": "", "number": "09012340001"}, "connected": {"name": "", "number": ""},
        "dialplan": {"context": "orikaeshi-inbound", "exten": "s", "priority": 4, "app_name": "Stasis", "app_data": ""},
        "creationtime": "2026-11-22T05:40:01.877+0000", "language": "ja",
        "channelvars": {"ORI_ROLE": "caller", "ORI_QUEUE": "main", "ORI_ATTEMPT": ""},
    }  # fmt: skip
    frames = [
        json.dumps(
            {"type": "ChannelDtmfReceived", "timestamp": str(n), "digit": "1", "duration_ms": 100, "channel": channel}
        ).encode()
        for n in range(EVENTS)
    ]
    began_s = time.process_time()
    for frame in frames:
        said = reader.read(frame)
        if said is not None and type(said).__name__ != "RESTResponse":
            board.deliver(said)  # type: ignore[arg-type]  # no answers are among these frames
    return (time.process_time() - began_s) / EVENTS * 1e6


async def main() -> None:
    """Print the figures."""
    structlog.configure(
        processors=[structlog.processors.JSONRenderer()], logger_factory=structlog.ReturnLoggerFactory()
    )
    with tempfile.TemporaryDirectory() as home:
        async with running_pair(Path(home)) as (site, _pbx, _carrier):
            client = AriClient(
                site.ari_url,
                "bench",
                site.ari_user,
                site.ari_password,
                on_event=lambda _: None,
                on_connected=lambda: None,
                on_disconnected=lambda: None,
                clock=SystemClock(),
                rng=random.Random(1),  # noqa: S311 - spreads reconnects, guards nothing
            )
            running = asyncio.create_task(client.run())
            await client.wait_connected()
            for over_http in (False, True):
                way = "HTTP pool" if over_http else "WebSocket"
                for in_flight in (1, 16, 64):
                    rate = await requests_per_second(client, in_flight, over_http=over_http)
                    print(f"{way:10} {in_flight:3} in flight: {rate:8.0f} requests/s")  # noqa: T201 - the result
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
    print(f"event, bytes to mailbox: {event_cost_us():.1f} us")  # noqa: T201 - the result


if __name__ == "__main__":
    asyncio.run(main())
