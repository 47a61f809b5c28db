"""What was answered to requests that carry a key of their sender, so that the same one again does nothing more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

KEPT_S = 24 * 3600.0
"""How long an answer is kept: so long is one key one request."""
STUCK_S = 60.0
"""A request without an answer after this long never gets one: whoever answered it is gone."""


@dataclass(frozen=True, slots=True)
class Begun:
    """Nobody has answered it: do so, and `settle` it, or `forget` it."""

    since: datetime
    """When it was begun first: also where whoever did so is gone, and it is begun anew. Aware UTC."""


@dataclass(frozen=True, slots=True)
class Told:
    """It was answered, like this."""

    status: int
    answer: str


@dataclass(frozen=True, slots=True)
class Underway:
    """It is being answered right now."""


@dataclass(frozen=True, slots=True)
class OtherRequest:
    """The key was used for something else."""


class AnsweredRequests(Protocol):
    """Every method is one transaction and raises StoreUnavailableError.

    `key` and `fingerprint` have at most 64 characters: digests of who asked with which key, and of what was asked.
    """

    async def begin(self, key: str, fingerprint: str, now: datetime) -> Begun | Told | Underway | OtherRequest:
        """Write down that a request is being answered, unless one of this key was, in the last `KEPT_S` seconds.

        Of several at once exactly one is `Begun`. One that is without an answer for `STUCK_S` seconds is begun anew.
        """
        ...

    async def settle(self, key: str, status: int, answer: str) -> None:
        """Write down what was answered; durable on return. Nothing happens to what was forgotten, or has an answer."""
        ...

    async def forget(self, key: str) -> None:
        """Let a request that is being answered be asked again; one that has an answer keeps it."""
        ...

    async def forget_before(self, at: datetime) -> int:
        """Delete whatever was asked before an instant (aware UTC); return how many those were."""
        ...
