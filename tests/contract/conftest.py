"""The database under the contracts of promises, outbox and call log: each engine, empty, its clock turned by hand."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from tests.contract.databases import READY_ENGINES
from tests.contract.store_under_test import HandClock, store_at

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from controller.store import Store


@pytest.fixture
def clock() -> HandClock:
    """Noon, until it is turned."""
    return HandClock()


@pytest.fixture(params=READY_ENGINES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the address of an empty database of each engine."""
    return READY_ENGINES[request.param](tmp_path)


@pytest.fixture(params=READY_ENGINES)
def fresh_url(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Return a function that gives the address of another empty database each time; the one before is over then."""
    count = itertools.count()

    def url() -> str:
        folder = tmp_path / str(next(count))
        folder.mkdir()
        return READY_ENGINES[request.param](folder)

    return url


@pytest.fixture
async def store(url: str, clock: HandClock) -> AsyncIterator[Store]:
    """Open it."""
    async with store_at(url, clock) as opened:
        yield opened
