"""Webhooks out: what other systems are owed, and how it gets there."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

GONE = 410
"""The status by which a receiver says that it is not there any more, and will not come back (RFC 9110, 15.5.11)."""


@dataclass(frozen=True, slots=True)
class HookWish:
    """A system that wants to hear of events."""

    name: str
    url: str = field(repr=False)
    """Where to. Not to be shown: its path may be a secret, as a chat tool's is."""
    events: tuple[str, ...]
    """Patterns: `*`, `promise.*`, `call.ended`."""
    with_numbers: bool = False
    enabled: bool = True

    @property
    def shown_url(self) -> str:
        """The part of its address that may be shown."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def mark(self) -> str:
        """What its address is known by, 8 hexadecimal digits: another address has another."""
        return hashlib.sha256(self.url.encode()).hexdigest()[:8]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event that one hook is owed."""

    id: int
    hook: str
    event_id: str
    event: str
    body: str = field(repr=False)
    """JSON, as it is signed and sent."""
    made_at: datetime
    not_before: datetime
    tries: int
    """How often it has been sent so far."""


@dataclass(frozen=True, slots=True)
class Taken:
    """The receiver answered 2xx."""

    status: int


@dataclass(frozen=True, slots=True)
class NotTaken:
    """It did not, or nobody knows whether it did: the same is sent again."""

    reason: str
    """For a person: without address, body and number."""
    status: int | None = None
    """None: there was no answer."""
    is_away: bool = True
    """It is the receiver that has a problem, and not this one event."""
    told_s: float = 0.0
    """After how many seconds it wants to be asked again."""


@dataclass(frozen=True, slots=True)
class HookStanding:
    """How a hook of the settings fares."""

    wish: HookWish
    backlog: int
    """What it is owed."""
    oldest_at: datetime | None
    """When the oldest of that was made."""
    delivered: int
    """What it took, as far as the record goes back; so are the next three."""
    not_delivered: int
    """What was given up: it needs a person."""
    last_delivered_at: datetime | None
    last_error: str
    """Of the latest event that it did not take; empty: there is none."""
    last_status: int | None
    is_gone: bool
    """It said 410: it is sent nothing until its address is another, or somebody asks for it."""


@dataclass(frozen=True, slots=True)
class DeliveryLine:
    """A delivery as it is listed: without its body."""

    id: int
    event_id: str
    event: str
    made_at: datetime
    not_before: datetime
    tries: int
    settled_at: datetime | None
    delivered: bool
    last_status: int | None
    last_error: str


class HookPost(Protocol):
    """Brings events to one receiver."""

    async def post(self, event_id: str, body: str) -> Taken | NotTaken:
        """Send one event, signed, once. Raises nothing."""
        ...

    async def close(self) -> None:
        """Close what is open."""
        ...


class HookBook(Protocol):
    """What hooks are owed. Every method raises StoreUnavailableError when the database fails."""

    @property
    def wishes(self) -> Sequence[HookWish]:
        """The hooks of the settings."""
        ...

    async def next(self, hook: str) -> Delivery | None:
        """Return what a hook is to be sent first, though maybe not yet; None: it is owed nothing.

        Of each subject only the oldest event counts: what happened to one promise is told in its order.
        """
        ...

    async def is_gone(self, wish: HookWish) -> bool:
        """Tell whether a hook said that it is gone from its address, and nobody asked for it since."""
        ...

    async def taken(self, delivery: Delivery, status: int, now: datetime) -> None:
        """Write that it arrived. Nothing changes where somebody else has written what became of this try."""
        ...

    async def put_off(self, delivery: Delivery, why: NotTaken, until: datetime) -> None:
        """Write that it is to be sent again, and when. Otherwise as `taken`."""
        ...

    async def given_up(self, delivery: Delivery, why: NotTaken, now: datetime) -> None:
        """Write that it never arrives. Otherwise as `taken`."""
        ...

    async def gone(self, wish: HookWish, delivery: Delivery, now: datetime) -> None:
        """Write that the receiver said 410 to this one."""
        ...

    async def abandon(self, hook: str, reason: str, now: datetime, *, made_before: datetime | None = None) -> int:
        """Settle all that a hook is owed (and was made before then) as not delivered; return how many."""
        ...

    async def abandon_unknown(self, now: datetime) -> int:
        """Likewise, for every hook that is not in the settings any more."""
        ...

    async def retry(self, hook: str, now: datetime) -> int:
        """Owe a hook anew all that it did not take, due at once; return how many. It is no longer gone."""
        ...

    async def standing(self) -> Sequence[HookStanding]:
        """Return how each hook of the settings fares, in their order."""
        ...

    async def deliveries(self, hook: str, limit: int, *, failed_only: bool = False) -> Sequence[DeliveryLine]:
        """Return what a hook is or was owed, newest first; or what was not delivered alone."""
        ...
