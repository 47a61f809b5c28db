"""The page behind a booking link: what stands there, and what can be done, once.

Looking changes nothing: whoever delivers a message may open its links to see where they lead.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from controller.domain.opening_hours import in_utc
from controller.domain.promise import PromiseState
from controller.journeys.choose_time import Soon, as_soon_as_possible
from controller.journeys.windows import open_windows, wanted
from controller.ports.links import Ask, NeverAgain, Withdraw
from controller.ports.promises import SlotFull

if TYPE_CHECKING:
    from datetime import datetime

    from controller.domain.promise import Promise
    from controller.domain.slots import Slot
    from controller.domain.wait_estimate import WaitRange
    from controller.journeys.house import House, Queue
    from controller.ports.links import BookingLink, Redeemed


@dataclass(frozen=True, slots=True)
class View:
    """What whoever opens a link gets to see."""

    link: BookingLink
    queue: Queue
    promise: Promise | None
    """What the link has made or is bound to, over perhaps; for a link that is bound to none, what the number holds."""
    windows: tuple[Slot, ...]
    """Those that can be booked now, soonest first; none when nothing can be changed."""
    soon: Soon
    """What "call me now" would mean."""
    expected: WaitRange | None
    """How long that would probably take; None when nothing can be said."""
    is_never_called: bool
    """The number is on the do-not-call list."""
    is_served: bool
    """The settings still have the queue of the link; if not, `queue` is the first one."""

    @property
    def is_spent(self) -> bool:
        """The link was used: what was decided can be read, and nothing changed."""
        return self.link.used_at is not None

    @property
    def can_ask(self) -> bool:
        """A time can be booked, or a call as soon as possible asked for."""
        return self.is_served and not (self.is_spent or self.is_never_called or self._is_talking)

    @property
    def can_withdraw(self) -> bool:
        """There is a promise that can be cancelled."""
        is_open = self.promise is not None and not self.promise.state.is_final
        return is_open and not self.is_spent and not self._is_talking

    @property
    def can_refuse(self) -> bool:
        """The number can be put on the do-not-call list."""
        return not self.is_spent and not self.is_never_called

    @property
    def _is_talking(self) -> bool:
        return self.promise is not None and self.promise.state is PromiseState.CONNECTED


async def look(link: BookingLink, house: House) -> View:
    """Return what a link shows at the moment. Changes nothing. Raises StoreUnavailableError."""
    queue = queue_of(link, house)
    now = house.clock.now()
    expected = house.line.expected_wait(queue.name)
    view = View(
        link=link,
        queue=queue,
        promise=await promise_of(link, queue, house),
        windows=(),
        soon=as_soon_as_possible(queue, now, expected),
        expected=expected,
        is_never_called=await house.do_not_call.is_blocked(link.number),
        is_served=link.queue in house.queues,
    )
    if not view.can_ask:
        return view
    return replace(view, windows=tuple(await open_windows(queue, house, link.number)))


async def promise_of(link: BookingLink, queue: Queue, house: House) -> Promise | None:
    """Return the promise that a link has made, is bound to, or would change. Raises StoreUnavailableError."""
    asked = await house.promises.made_on_call(call_id(link)) if link.used_at is not None else None
    if asked is not None:
        return asked
    if link.promise_id is not None:
        return await house.promises.get(link.promise_id)
    return await house.promises.open_for(queue.name, link.number)


async def book(link: BookingLink, starts_at: datetime, house: House) -> Redeemed:
    """Be called in the window that starts then (aware), and get an SMS that says so.

    `SlotFull` also for what is no window that is offered. Raises StoreUnavailableError.
    """
    queue = queue_of(link, house)
    windows = await open_windows(queue, house, link.number)
    window = next((each for each in windows if each.starts_at == in_utc(starts_at)), None)
    return SlotFull() if window is None else await ask(link, window, house, confirm=True)


async def call_now(link: BookingLink, house: House) -> Redeemed:
    """Be called as soon as possible; an agent is reserved when it is their turn. Raises StoreUnavailableError."""
    return await ask(link, None, house, confirm=False)


async def withdraw(link: BookingLink, house: House) -> Redeemed:
    """Be called no more for this promise; a call on its way is taken back. Raises StoreUnavailableError."""
    return await house.links.redeem(link.id, Withdraw(), house.clock.now())


async def never_again(link: BookingLink, house: House) -> Redeemed:
    """Never be called or texted again, whoever left the number. Raises StoreUnavailableError."""
    return await house.links.redeem(link.id, NeverAgain(), house.clock.now())


async def ask(link: BookingLink, window: Slot | None, house: House, *, confirm: bool) -> Redeemed:
    """Spend a link on being called: in a window, or as soon as possible (None)."""
    queue = house.queues.get(link.queue)
    if queue is None:
        return SlotFull()  # Nobody is there any more who would call.
    wish = wanted(
        queue,
        house,
        number=link.number,
        language=link.language,
        call_id=call_id(link),
        slot=window,
        confirm=confirm,
    )
    return await house.links.redeem(link.id, Ask(wish), house.clock.now())


def queue_of(link: BookingLink, house: House) -> Queue:
    """Return the queue of a link; the first one, if the settings do not have it any more."""
    return house.queues.get(link.queue, house.first_queue)


def call_id(link: BookingLink) -> str:
    """Return under which id a link asks for a promise: the same link asks once."""
    return f"link-{link.id}"
