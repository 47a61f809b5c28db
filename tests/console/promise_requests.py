"""Requests for promises, as a program sends them."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.console.house import Answer, Client

ROOT = "/api/v1/promises"
NUMBER = "+819012345678"
WINDOW = "2026-11-24T03:00:00Z"
"""12:00 in Tokyo: two places."""
_keys = itertools.count(1)


async def create(client: Client, key: str = "", **wanted: Any) -> Answer:
    """Ask for a promise, under a new key unless one is given."""
    body = {"queue": "support", "number": "090-1234-5678", **wanted}
    return await client.post(ROOT, body, Idempotency_Key=key or f"request-{next(_keys)}")


async def numbered(client: Client, count: int) -> list[str]:
    """Ask for promises of different numbers; return their ids."""
    answers = [await create(client, number=f"+8190111{nth:05d}") for nth in range(count)]
    return [answer.json["promise"]["id"] for answer in answers]
