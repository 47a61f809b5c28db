"""A site for each test, and what is asked of every answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.web.site import Site, site_at

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """Serve one, without limits, with the page without a link."""
    async with site_at(tmp_path) as opened:
        yield opened
