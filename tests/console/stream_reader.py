"""Somebody who reads the stream of events, and floors for them to read of."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import aiohttp

from controller.domain.line import WaiterKind
from controller.ports.floor import EntryState, LineEntry
from tests.console.floor import NUMBER
from tests.console.house import TUESDAY_TEN

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from controller.ports.floor import FloorNow

EVENTS = "/api/v1/events"
PATIENCE_S = 20.0


class Reader:
    """Reads an answer to GET /events."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._blocks = _read(response)

    async def next(self, *names: str) -> tuple[str, Any]:
        """Return the next event, or the next of these, with what it tells. Raises EOFError at the end."""
        async with asyncio.timeout(PATIENCE_S):
            async for name, data in self._blocks:
                if not names or name in names:
                    return name, data
        raise EOFError("the stream has ended")

    async def rest(self) -> list[str]:
        """Return the names of all events until the stream ends, whichever way."""
        names = []
        try:
            while True:
                names.append((await self.next())[0])
        except (EOFError, aiohttp.ClientError):
            return names


async def _read(response: aiohttp.ClientResponse) -> AsyncIterator[tuple[str, Any]]:
    text = b""
    async for chunk in response.content.iter_any():
        *blocks, text = (text + chunk).split(b"\n\n")
        for block in blocks:
            yield event_of(block)


def event_of(block: bytes) -> tuple[str, Any]:
    """Return the name of an event, and what it tells."""
    name, data = block.strip().split(b"\n")
    return name.removeprefix(b"event: ").decode(), json.loads(data.removeprefix(b"data: "))


def with_line(floor: FloorNow, *ids: str) -> FloorNow:
    """Return a floor on which these callers wait."""
    line = tuple(
        LineEntry(each, WaiterKind.LIVE, "support", "asterisk", TUESDAY_TEN, EntryState.WAITING, NUMBER) for each in ids
    )
    return replace(floor, line=line)


def ids_in(floor: Any) -> list[str]:
    """Return who is in the line that an event tells of."""
    return [entry["id"] for entry in floor["line"]]
