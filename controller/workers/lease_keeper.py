"""The lease keeper: takes a lease, holds on to it, or waits until another controller gives it up."""

from __future__ import annotations

import asyncio
import os
import socket
from typing import TYPE_CHECKING

import structlog

from controller.journeys.race import first_of
from controller.ports.promises import StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from controller.ports.clock import Clock
    from controller.ports.lease import Lease, LeaseBook

log = structlog.get_logger(__name__)

LEASE_S = 3.0
"""Who dies is replaced within 5 s: 3 s until the lease has run out, half a second for the home member to come first,
the rest for connecting and recovery. A renewal that leaves after 1 s may take 2 s more: a database that stands still
for a second costs nobody the lease."""
RENEWALS = 3
"""So many times in its length the lease is renewed: one that fails does not cost it."""
_GIVES_WAY = 6
"""So long a share of the lease a free one is left to the member whose home it is."""
_SOONER = 4
"""After an error it is asked again so many times sooner."""
_SHORTEST_PAUSE_S = 0.05


def name_of_this_process(now: datetime) -> str:
    """Return a name that no other controller has, nor this one after a restart. For people, too."""
    return f"{socket.gethostname()}:{os.getpid()}:{now:%Y%m%dT%H%M%S.%f}"


class LeaseKeeper:
    """The `Leadership` of this process. Whoever asks is told by a clock that nobody can set, not by the database.

    Having the lease and being allowed to dial are two things. After a restart the lease is ours at once, so that
    callers are served; `term` follows when nobody can believe any more that they still have it. And when the database
    is away, `term` ends with the lease, while callers are served on: `lost` is only what somebody else has taken.
    """

    def __init__(
        self,
        leases: LeaseBook,
        clock: Clock,
        *,
        name: str,
        holder: str,
        member: str,
        home: str = "",
        monotonic_s: Callable[[], float],
        lease_s: float = LEASE_S,
    ) -> None:
        """`home` is the member that has this lease when it lives, "" for none: then whoever comes first has it.

        `monotonic_s` counts seconds, also while the process stands still.
        """
        self.name = name
        self._leases = leases
        self._clock = clock
        self._holder = holder
        self._member = member
        self._home = home
        self._monotonic_s = monotonic_s
        self._lease_s = lease_s
        self._lease: Lease | None = None
        self.seen: Lease | None = None
        """The lease as it was last seen, whoever has it."""
        self._good_until_s = self._quiet_until_s = 0.0
        self._other_until: datetime | None = None
        self._free_since_s: float | None = None
        self._gives_way_s = 0.0
        self._seeks = self._is_first_look = True
        self._could_dial = self._told = False
        self._one_at_a_time = asyncio.Lock()
        self._woken, self._held, self._free, self._wanted = (asyncio.Event() for _ in range(4))
        self._free.set()
        self.on_gained: Callable[[], None] = lambda: None
        """Called when calls may be placed from now on."""
        self.on_other: Callable[[Lease], None] = lambda _lease: None
        """Called once each time that we begin to stand by, with the lease that another controller has."""

    @property
    def term(self) -> int | None:
        """The term under which we may place calls now; None: we may not."""
        now_s = self._monotonic_s()
        if self._lease is None or not self._seeks or not self._quiet_until_s <= now_s < self._good_until_s:
            return None
        return self._lease.term

    async def held(self) -> None:
        """Seek the lease, and return once it is ours. After it was lost or given back it is sought no more until then.

        So whoever works under it can stop their work first.
        """
        self._seeks = True
        self.hear()
        await self._held.wait()

    async def lost(self) -> Lease | None:
        """Return once the lease is not ours, because somebody else has it or it was given back: as it then is."""
        await self._free.wait()
        return self.seen

    async def wanted(self) -> str:
        """Return once the member whose home it is waits for our lease: its name."""
        await self._wanted.wait()
        return "" if self.seen is None else self.seen.wanted_by

    def hear(self) -> None:
        """Look at the lease now: somebody says that something about it has changed."""
        self._woken.set()

    async def run(self) -> None:
        """Take the lease when it is sought, and hold on to it, for ever."""
        while True:
            self._woken.clear()
            if not self._seeks:
                await self._woken.wait()
                continue
            asked_at_s, pauses = self._monotonic_s(), 1.0
            try:
                async with self._one_at_a_time:
                    await (self._seek() if self._lease is None else self._renew(self._lease))
            except StoreUnavailableError as error:
                pauses = 1 / _SOONER
                log.warning("the lease cannot be asked for", lease=self.name, reason=str(error), held=bool(self.term))
            self._tell()
            await first_of(woken=self._woken.wait(), time=self._clock.sleep(self._pause_s(asked_at_s, pauses)))

    async def release(self) -> None:
        """Give the lease back, so that the next controller need not wait; it is no longer sought. Never raises."""
        self._seeks = False  # `term` ends here, whatever is on its way
        async with self._one_at_a_time:
            lease = self._lease
            self._let_go()
            if lease is None:
                return
            try:
                await self._leases.release(lease)
            except StoreUnavailableError as error:
                log.warning("the lease could not be given back, and runs out", lease=self.name, reason=str(error))
            else:
                log.info("the lease is given back", lease=self.name, term=lease.term)

    async def _seek(self) -> None:
        found = await self._look()
        if not self._seeks:
            return
        if found is not None and self._is_anothers(found):
            if self._home == self._member != found.member and found.wanted_by != self._member:
                await self._take()
            else:
                self._stand_by(found)
            return
        if not self._waits_for_home(found):
            await self._take()

    async def _look(self) -> Lease | None:
        self.seen = next((lease for lease in await self._leases.all() if lease.name == self.name), None)
        return self.seen

    def _is_anothers(self, found: Lease) -> bool:
        """Tell whether another controller has the lease. One that could not last so long counts as run out."""
        now = self._clock.now()
        is_alive = now < found.expires_at and (found.expires_at - now).total_seconds() <= 2 * self._lease_s
        # Only at our start it can be of an earlier life of ours; later it is somebody else who uses our name.
        return is_alive and not (found.member == self._member and self._is_first_look)

    def _waits_for_home(self, found: Lease | None) -> bool:
        """Tell whether to leave a free lease to the member whose home it is for a while yet."""
        nobody = ("", self._member)
        if found is not None and found.expires_at > self._clock.now():
            return False  # of our own earlier life
        if found is not None and found.wanted_by not in nobody:
            # It may not have heard yet that it was given back, and then looks at it by itself when it would run out.
            self._gives_way_s = self._lease_s + self._lease_s / _GIVES_WAY
        elif self._home not in nobody:
            self._gives_way_s = self._lease_s / _GIVES_WAY
        else:
            return False
        if self._free_since_s is None:
            self._free_since_s = self._monotonic_s()
        return self._monotonic_s() < self._free_since_s + self._gives_way_s

    async def _take(self) -> None:
        sent_at_s = self._monotonic_s()
        wants = self._home == self._member
        lease = await self._leases.take(self.name, self._holder, self._member, self._lease_s, wants=wants)
        if lease.holder != self._holder:
            self._stand_by(lease)
            return
        left_s = 0.0 if lease.quiet_until is None else (lease.quiet_until - self._clock.now()).total_seconds()
        # From when it was answered: theirs counts from when they asked, and is over first.
        self._quiet_until_s = self._monotonic_s() + min(max(left_s, 0.0), self._lease_s)
        self._told = False
        log.info("the lease is taken", lease=self.name, term=lease.term, quiet_s=round(max(left_s, 0.0), 1))
        self._hold(lease, sent_at_s)

    def _stand_by(self, lease: Lease) -> None:
        self._is_first_look, self._free_since_s, self._other_until = False, None, lease.expires_at
        self.seen = lease
        if self._told:
            return
        self._told = True
        self.on_other(lease)
        if lease.member == self._member:
            log.error("another controller runs under our name: give each its own", lease=self.name, member=lease.member)
        else:
            log.info("another controller has the lease", lease=self.name, member=lease.member, term=lease.term)

    async def _renew(self, lease: Lease) -> None:
        sent_at_s = self._monotonic_s()
        renewed = await self._leases.renew(lease, self._lease_s)
        if renewed is not None:
            self._hold(renewed, sent_at_s)
            return
        log.error("the lease was taken over; no calls are placed from here", lease=self.name, term=lease.term)
        self._good_until_s = 0.0  # should the look fail, it is renewed in vain again
        await self._look()
        self._seeks = False
        self._let_go()

    def _hold(self, lease: Lease, sent_at_s: float) -> None:
        if self.term is None:
            self._could_dial = False  # it had run out, or is new
        # From when it was sent: the database counts from a later moment, so ours is over first.
        self._lease, self.seen, self._good_until_s = lease, lease, sent_at_s + self._lease_s
        self._is_first_look, self._free_since_s, self._other_until = False, None, None
        self._held.set()
        self._free.clear()
        if lease.wanted_by in ("", self._member):
            self._wanted.clear()
        elif not self._wanted.is_set():
            log.info("the lease is wanted back", lease=self.name, by=lease.wanted_by)
            self._wanted.set()

    def _let_go(self) -> None:
        self._lease, self._told = None, False
        self._held.clear()
        self._wanted.clear()
        self._free.set()

    def _tell(self) -> None:
        """Say when calls may be placed from here, and when they no longer may."""
        can_dial = self.term is not None
        if can_dial and not self._could_dial:
            self._told = False
            log.info("calls are placed from here", lease=self.name, holder=self._holder, term=self.term)
            self._could_dial = True
            self.on_gained()
        elif self._lease is not None and self._monotonic_s() >= self._good_until_s and not self._told:
            self._told = True
            log.error("the lease has run out; no calls are placed until it is renewed", lease=self.name)

    def _pause_s(self, asked_at_s: float, shares: float) -> float:
        """Return how long to wait: a share of the lease, or until the one who holds it has let it run out."""
        now_s = self._monotonic_s()
        next_s = asked_at_s + shares * self._lease_s / RENEWALS
        if self._lease is not None:
            if now_s < self._quiet_until_s:
                next_s = min(next_s, self._quiet_until_s)
        elif self._free_since_s is not None:
            next_s = min(next_s, self._free_since_s + self._gives_way_s)
        elif self._other_until is not None:
            # The wall clock may be set: never much later than a lease is long.
            next_s = now_s + min((self._other_until - self._clock.now()).total_seconds(), self._lease_s)
        return max(next_s - now_s, _SHORTEST_PAUSE_S)
