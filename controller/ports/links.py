"""Booking links, and proofs of a number: what a customer may do on the web without anybody knowing them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from controller.ports.promises import NumberBlocked, SlotFull

if TYPE_CHECKING:
    from datetime import datetime

    from controller.domain.effects import SendSms
    from controller.domain.promise import Promise
    from controller.domain.signed import Purpose
    from controller.ports.promises import NewPromise


@dataclass(frozen=True, slots=True)
class BookingLink:
    """One link: one purpose (`PROMISE` or `BOOK`), one customer, one change. Times are aware UTC."""

    id: str
    purpose: Purpose
    queue: str
    number: str
    """E.164; never shown whole."""
    language: str
    expires_at: datetime
    promise_id: str | None = None
    """With `PROMISE`."""
    used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """Be called: at a time, or now. `wanted.call_id` is `link-` and the link's id."""

    wanted: NewPromise


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Cancel the open promise of the link."""


@dataclass(frozen=True, slots=True)
class NeverAgain:
    """This was not me: the number goes on the do-not-call list, and its promises are cancelled."""


LinkWish = Ask | Withdraw | NeverAgain


@dataclass(frozen=True, slots=True)
class LinkSpent:
    """It was used before, or has expired: nothing was written."""


@dataclass(frozen=True, slots=True)
class TooLate:
    """There is nothing to cancel any more: they are talking, or it is over.

    Nothing was written; the link is as it was.
    """


@dataclass(frozen=True, slots=True)
class Done:
    """The wish was carried out, and the link is spent. `promises` are those that it changed."""

    promises: tuple[Promise, ...]


Redeemed = Done | LinkSpent | TooLate | SlotFull | NumberBlocked


class BookingLinks(Protocol):
    """The links, in the database. Every method is one transaction and raises StoreUnavailableError."""

    async def issue(self, link: BookingLink) -> BookingLink:
        """Write a link; one that is there already stays as it is. Return it as it stands."""
        ...

    async def find(self, link_id: str, now: datetime) -> BookingLink | None:
        """Return a link that has not expired, used or not."""
        ...

    async def redeem(self, link_id: str, wish: LinkWish, now: datetime) -> Redeemed:
        """Spend a link on one wish, in the transaction that carries it out: of two at once, one is carried out.

        `SlotFull`, `NumberBlocked` and `TooLate` leave the link unspent.
        """
        ...


@dataclass(frozen=True, slots=True)
class Challenge:
    """Somebody says that a number is theirs. A code sent to it will tell. Times are aware UTC."""

    id: str
    queue: str
    number: str
    """E.164; "" where what was typed is nothing that we would text: nobody is told so."""
    language: str
    expires_at: datetime
    tries_left: int


class NumberProofs(Protocol):
    """Challenges, in the database. Every method is one transaction and raises StoreUnavailableError."""

    async def start(self, challenge: Challenge, sms: SendSms | None) -> None:
        """Write a challenge and the SMS that carries its code; None: nothing is sent, and nobody is told so."""
        ...

    async def guess(self, challenge_id: str, *, is_right: bool, now: datetime) -> Challenge | None:
        """Count one try; return the challenge if the code was right and it was open, which proves it, once.

        None for whatever reason: wrong, expired, out of tries, used, unknown. A proof marks its SMS as converted.
        """
        ...

    async def find(self, challenge_id: str, now: datetime) -> Challenge | None:
        """Return a challenge that has not expired, used or not."""
        ...
