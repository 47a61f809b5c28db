"""A console for each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.console.house import ConsoleSite, site_at

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[ConsoleSite]:
    """Serve one, without limits."""
    async with site_at(tmp_path) as opened:
        yield opened
