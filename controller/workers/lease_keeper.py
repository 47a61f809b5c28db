"""The lease keeper: holds the lease under which calls are placed, or waits until another controller gives it up."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

from controller.ports.promises import StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from controller.ports.clock import Clock
    from controller.ports.lease import Lease, LeaseBook

log = structlog.get_logger(__name__)

LEASE_S = 4.0
RENEWALS = 3
"""So many times in its length the lease is renewed: one that fails does not cost it."""


def name_of_this_process(now: datetime) -> str:
    """Return a name that no other controller has, nor this one after a restart. For people, too."""
    return f"{socket.gethostname()}:{os.getpid()}:{now:%Y%m%dT%H%M%S.%f}"


class LeaseKeeper:
    """The `Leadership` of this process. Whoever asks is told by a clock that nobody can set, not by the database."""

    def __init__(
        self,
        leases: LeaseBook,
        clock: Clock,
        *,
        holder: str,
        monotonic_s: Callable[[], float],
        lease_s: float = LEASE_S,
    ) -> None:
        """`monotonic_s` counts seconds, also while the process stands still."""
        self._leases = leases
        self._clock = clock
        self._holder = holder
        self._monotonic_s = monotonic_s
        self._lease_s = lease_s
        self._lease: Lease | None = None
        self._good_until_s = 0.0
        self._other_until: datetime | None = None
        self._told = False
        self.on_gained: Callable[[], None] = lambda: None
        """Called when calls may be placed from now on."""

    @property
    def term(self) -> int | None:
        """The term under which we may place calls now; None: we may not."""
        if self._lease is None or self._monotonic_s() >= self._good_until_s:
            return None
        return self._lease.term

    async def run(self) -> None:
        """Take the lease, hold on to it, and take it again when it was lost, for ever."""
        while True:
            try:
                await (self._take() if self._lease is None else self._renew(self._lease))
            except StoreUnavailableError as error:
                log.warning("the lease cannot be asked for", reason=str(error), held=self.term is not None)
            self._tell_if_over()
            await self._clock.sleep(self._pause_s())

    async def release(self) -> None:
        """Give the lease back before a clean end, so that the next controller need not wait. Never raises."""
        lease, self._lease = self._lease, None
        if lease is not None:
            with suppress(StoreUnavailableError):
                await self._leases.release(lease)
                log.info("the lease is given back", term=lease.term)

    async def _take(self) -> None:
        sent_at_s = self._monotonic_s()
        lease = await self._leases.take(self._holder, self._lease_s)
        if lease.holder == self._holder:
            self._hold(lease, sent_at_s)
        else:
            self._other_until = lease.expires_at
            if not self._told:
                log.info("another controller places the calls", holder=lease.holder, term=lease.term)
                self._told = True

    async def _renew(self, lease: Lease) -> None:
        sent_at_s = self._monotonic_s()
        renewed = await self._leases.renew(lease, self._lease_s)
        if renewed is not None:
            self._hold(renewed, sent_at_s)
            return
        self._lease, self._told = None, False
        log.error("the lease was taken over; no calls are placed from here", term=lease.term)
        await self._take()

    def _hold(self, lease: Lease, sent_at_s: float) -> None:
        # From when it was sent: the database counts from a later moment, so ours is over first.
        was_held = self.term is not None
        self._lease, self._good_until_s = lease, sent_at_s + self._lease_s
        if not was_held and self.term is not None:
            self._told = False
            log.info("calls are placed from here", holder=lease.holder, term=lease.term)
            self.on_gained()

    def _tell_if_over(self) -> None:
        if self._lease is not None and self.term is None and not self._told:
            self._told = True
            log.error("the lease has run out; no calls are placed until it is renewed", term=self._lease.term)

    def _pause_s(self) -> float:
        """Return how long to wait: a share of the lease, or until the one who holds it has let it run out."""
        share_s = self._lease_s / RENEWALS
        if self._lease is not None or self._other_until is None:
            return share_s
        left_s = (self._other_until - self._clock.now()).total_seconds()
        # The wall clock may be set: never more often than a renewal, and never much later than a lease is long.
        return min(max(share_s, left_s), self._lease_s)
