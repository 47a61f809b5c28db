"""The database under the contracts of promises, outbox and call log: each engine, empty, its clock turned by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.store_under_test import ENGINES, HandClock, store_at

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from controller.store import Store


@pytest.fixture
def clock() -> HandClock:
    """Noon, until it is turned."""
    return HandClock()


@pytest.fixture(params=ENGINES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the address of an empty database of each engine."""
    return ENGINES[request.param](tmp_path)


@pytest.fixture
async def store(url: str, clock: HandClock) -> AsyncIterator[Store]:
    """Open it."""
    async with store_at(url, clock) as opened:
        yield opened
