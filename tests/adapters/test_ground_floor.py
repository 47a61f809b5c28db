"""Who takes an Asterisk over waits until the replies that came before were read: one may say STOP."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, cast

import pytest

from controller.ground_floor import OTHERS_READ_IN_S, GroundFloor
from controller.ports.lease import MAIL, Lease
from controller.ports.sms import IncomingSms
from controller.store import open_store
from controller.workers.lease_keeper import LeaseKeeper
from tests.adapters.test_settings import SMALL, load

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from controller.store import Store
    from controller.system_clock import SystemClock

NOW = datetime(2030, 5, 6, 3, tzinfo=UTC)
WE = "we:1"

pytestmark = pytest.mark.timeout(20)


@dataclass
class Hasty:
    """A clock on which every pause is over at once, and is written down."""

    pauses_s: list[float] = field(default_factory=list)
    on_pause: Callable[[int], Awaitable[None] | None] = lambda _nth: None

    def now(self) -> datetime:
        """Tell the time, which stands still."""
        return NOW

    async def sleep(self, delay_s: float) -> None:
        """Pause."""
        self.pauses_s.append(delay_s)
        meanwhile = self.on_pause(len(self.pauses_s))
        await (asyncio.sleep(0) if meanwhile is None else meanwhile)


@dataclass
class Site:
    """A ground floor without an office, and what it goes by."""

    store: Store
    clock: Hasty
    mail: LeaseKeeper
    floor: GroundFloor

    def has_mail(self, holder: str, *, lasts_s: float = 3) -> None:
        """Let the lease of the mail be seen with somebody."""
        self.mail.seen = Lease(MAIL, holder, holder, 1, NOW + timedelta(seconds=lasts_s))


@asynccontextmanager
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """Open a database and a ground floor over it."""
    settings, clock = load(tmp_path, SMALL), Hasty()
    system_clock = cast("SystemClock", clock)
    async with open_store(settings.database_url, policies={}, clock=system_clock, new_id=lambda: "id") as store:
        mail = LeaseKeeper(store.leases, clock, name=MAIL, holder=WE, member="we", monotonic_s=lambda: 0.0)
        yield Site(store, clock, mail, GroundFloor(settings, store, system_clock, mail, holder=WE))


async def written(store: Store) -> int:
    """Have somebody write to us; return the id of the reply."""
    await store.inbox.note_reply(IncomingSms("twilio", "m1", "+819012345678", "+815012345678", "STOP"), NOW)
    (reply,) = await store.inbox.unhandled()
    return reply.id


async def test_nothing_unread_where_another_has_the_mail_is_no_reason_to_wait(tmp_path: Path) -> None:
    """They are read there."""
    async with site(tmp_path) as here:
        here.has_mail("another:1")
        await here.floor.replies_read()
        assert here.clock.pauses_s == []


async def test_what_lies_unread_where_another_has_the_mail_is_waited_for(tmp_path: Path) -> None:
    """Until they have acted on it."""
    async with site(tmp_path) as here:
        here.has_mail("another:1")
        reply_id = await written(here.store)

        async def act() -> None:
            await here.store.inbox.settle(reply_id, "stop", needs_person=False, now=NOW)

        here.clock.on_pause = lambda nth: act() if nth == 1 else None
        await here.floor.replies_read()
        assert await here.store.inbox.unhandled() == []
        assert 0 < sum(here.clock.pauses_s) <= OTHERS_READ_IN_S


async def test_somebody_else_s_mail_that_is_not_read_does_not_keep_callers_waiting_for_ever(tmp_path: Path) -> None:
    """Their reply desk may be stuck; our callers are here."""
    async with site(tmp_path) as here:
        here.has_mail("another:1")
        await written(here.store)
        await here.floor.replies_read()
        assert OTHERS_READ_IN_S - 0.5 < sum(here.clock.pauses_s) < OTHERS_READ_IN_S + 0.5


@pytest.mark.parametrize(("holder", "lasts_s"), [("another:1", -1.0), (WE, 3.0)])
async def test_while_nobody_else_has_the_mail_it_is_our_own_desk_that_is_waited_for(
    tmp_path: Path, holder: str, lasts_s: float
) -> None:
    """Their lease is over, or it is ours and the desk has not opened yet."""
    async with site(tmp_path) as here:
        here.has_mail(holder, lasts_s=lasts_s)
        many = 100

        def then(nth: int) -> None:
            if nth == many:
                here.has_mail("third:1")

        here.clock.on_pause = then
        await here.floor.replies_read()
        assert len(here.clock.pauses_s) == many
