"""What goes on, as it goes on: server-sent events (HTML Standard, 9.2), for our own screens and for other programs.

`floor` is the whole floor, as GET /floor has it, at once and after each change, at most five a second; `figures` are
today's; `beat` says every two seconds that nothing is new; `enough`: this session reads too often, and this stream is
the oldest. Each event is whole, so whoever comes back needs nothing of what was missed.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Literal

from aiohttp import web
from msgspec import Meta

from controller.console.access import visitor_of
from controller.console.api.operation import Ask, Nothing, Operation, Tag
from controller.console.api.shapes import Asked
from controller.console.live import BEAT_S, LIVE, MOST_STREAMS
from controller.domain.access import Scope

if TYPE_CHECKING:
    from controller.console.live import Stream

PATIENCE_S = 20.0
"""How long a reader may take nothing of what was sent."""


class OfEvents(Asked, frozen=True):
    """How the stream is wanted."""

    numbers: Annotated[
        Literal["masked"] | None, Meta(description="`masked`: phone numbers are masked whatever you may see")
    ] = None


async def events(ask: Ask[OfEvents, Nothing]) -> web.StreamResponse:
    """Follow what goes on until the reader leaves, the session ends (the guard sees to that), or we stop."""
    request = ask.request
    live, visitor = request.app[LIVE], visitor_of(request)
    session = visitor.token_hash or visitor.key_id
    answer = web.StreamResponse(
        headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    )
    await answer.prepare(request)
    whole_numbers = ask.who.may(Scope.NUMBERS_READ) and ask.query.numbers is None
    stream = live.join(session, whole_numbers=whole_numbers)
    try:
        await _tell(stream, answer)
    except TimeoutError:
        # Who reads nothing is not waited for: what they have not taken goes with the connection.
        if request.transport is not None:
            request.transport.abort()
    except ConnectionError:
        pass
    finally:
        live.leave(session, stream)
    return answer


async def _tell(stream: Stream, answer: web.StreamResponse) -> None:
    """Write events to their end. Raises TimeoutError for a reader who takes none, ConnectionError for one who left."""
    while True:
        event = await stream.next()
        if event:
            async with asyncio.timeout(PATIENCE_S):
                await answer.write(event)
        if event == stream.last:
            return


OPERATIONS = (
    Operation(
        "GET",
        "/events",
        events,
        tag=Tag.FLOOR,
        summary="Follow what goes on (server-sent events)",
        description=(
            "`floor`: as GET /floor, at once and after each change, at most five a second. `figures`: today's, by "
            "queue and under an empty name of all together, each by its key. `beat`: the time, at least every "
            f"{BEAT_S:g} seconds. Each event is whole: whoever comes back needs nothing of what was missed. One "
            f"session or key has {MOST_STREAMS} streams at most; one more ends the oldest, which gets `enough`."
        ),
        answer=str,
        scope=Scope.FLOOR_READ,
        query=OfEvents,
        media="text/event-stream",
    ),
)
