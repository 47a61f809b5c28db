"""A server of its own, that the tests of this folder may break, and a database in it for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lab.postgres import Postgres, open_postgres
from tests.contract.store_under_test import HandClock, store_at

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from controller.store import Store


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """Start one that these tests may break."""
    with open_postgres(settings={"deadlock_timeout": "100ms"}) as started:
        yield started


@pytest.fixture
def name(server: Postgres) -> Iterator[str]:
    """Make an empty database."""
    made = server.create()
    yield made
    server.drop(made)


@pytest.fixture
async def store(server: Postgres, name: str) -> AsyncIterator[Store]:
    """Open it; a lock is waited for only briefly."""
    async with store_at(server.url(name), HandClock(), busy_timeout_s=0.2) as opened:
        yield opened
