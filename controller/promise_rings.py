"""Lets a controller that runs know what a command beside it has changed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from controller.commands import store_beside
from controller.store.doorbell import bell_of
from controller.store.doorbell import ring as ring_bell
from controller.system_clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from controller.domain.promise import Promise
    from controller.settings import Settings


async def ring(settings: Settings, changed: Sequence[Promise]) -> bool:
    """Let a controller that runs know of promises; False when none does. On a server the commit itself has told it."""
    if not changed:
        return False
    if settings.store.path is not None:
        return await asyncio.to_thread(ring_bell, bell_of(settings.store.path), [promise.id for promise in changed])
    async with store_beside(settings) as store:
        now = SystemClock().now()
        return any(lease.expires_at > now for lease in await store.leases.all())
