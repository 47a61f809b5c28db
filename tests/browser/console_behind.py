"""A console behind the door that browsers know."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from tests.console.house import ConsoleSite, site_at
from tests.web.site import PUBLIC_URL

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.browser.door import Door


@asynccontextmanager
async def console_behind(door: Door, folder: Path, **more: Any) -> AsyncIterator[ConsoleSite]:
    """Serve one for the length of the block; `more` as of `site_at`."""
    async with site_at(folder, public_url=PUBLIC_URL, **more) as site, leading_to(door, site):
        yield site


@asynccontextmanager
async def leading_to(door: Door, site: ConsoleSite) -> AsyncIterator[None]:
    """Lead the door to a console; then every connection is cut."""
    anything: Any = site  # The door wants to know its port, and nothing else.
    async with door.leading_to(anything):
        yield
