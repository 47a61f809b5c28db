"""The card that an agent sees when the phone rings (screen pop): who it is, why they call, and what was before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING
from urllib.parse import quote

from controller.domain.line import WaiterKind  # noqa: TC001 - who describes these types reads the annotations
from controller.domain.phone_number import as_e164
from controller.domain.promise import PromiseState  # noqa: TC001 - likewise

if TYPE_CHECKING:
    from collections.abc import Iterable


PLACE_OF_NUMBER = "{number}"
"""What stands for the number in the address of a CRM."""
_LEAST_STEP = timedelta(microseconds=1)


class PastKind(StrEnum):
    """What one line of a customer's history tells of."""

    CALL = "call"
    """They rang us."""
    PROMISE = "promise"
    """They were promised a call."""
    ATTEMPT = "attempt"
    """We rang them."""
    NOTE = "note"
    """An agent wrote something down."""
    SMS = "sms"
    REPLY = "reply"
    """They answered an SMS."""


@dataclass(frozen=True, slots=True)
class Past:
    """One line of a customer's history. Times are aware UTC; what does not apply is empty or None."""

    at: datetime
    kind: PastKind
    what: str = ""
    """How a call or an attempt ended, where a promise stands, a note's disposition, which SMS, a reply's meaning.

    "" while it goes on, or where nobody knows.
    """
    queue: str = ""
    agent: str = ""
    text: str = ""
    """What was written: by an agent, or by the customer. Hostile, as all that people write."""
    status: str = ""
    """Of an SMS: `controller.domain.sms.SmsStatus`."""
    about: str = ""
    """The call's id, or the promise's."""
    waited_s: float | None = None
    """Of a call: from its place in line to the answer, or to its end."""
    talked_s: float | None = None
    slot_starts_at: datetime | None = None
    slot_ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Arrival:
    """How somebody came to be served. Times are aware UTC."""

    kind: WaiterKind
    queue: str
    number: str
    """E.164, or as the network showed it; "" when withheld."""
    since: datetime
    """When they arrived."""
    dialled: str = ""
    """Our number that they rang; "" when they did not ring."""
    joined_at: datetime | None = None
    """When they began to hold; of a promise, on the call that asked for it."""
    left_at: datetime | None = None
    """When they held no longer: answered, or gone. None while they hold."""
    answered_at: datetime | None = None
    """When an agent first answered a caller."""
    quoted_low_s: float | None = None
    quoted_high_s: float | None = None
    """The first wait that was announced to them."""


@dataclass(frozen=True, slots=True)
class Promised:
    """What was promised to whom is called back. Times are aware UTC."""

    state: PromiseState
    made_at: datetime
    not_before: datetime
    due_by: datetime | None
    slot_starts_at: datetime | None
    slot_ends_at: datetime | None
    told_late: bool
    attempts_used: int
    last_outcome: str


@dataclass(frozen=True, slots=True)
class Note:
    """What one agent wrote of one talk. `changed_at` (aware UTC) is its version: a later one is another note."""

    waiter_id: str
    agent: str
    disposition: str
    text: str
    written_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class About:
    """All that is written down of whom an agent serves."""

    arrival: Arrival
    promised: Promised | None = None
    note: Note | None = None
    """That agent's own, of this talk."""
    past: tuple[Past, ...] = ()
    """Newest first."""
    is_all: bool = True
    """There was nothing before what `past` begins with."""


def newest(lines: Iterable[Past], limit: int) -> tuple[tuple[Past, ...], bool]:
    """Return the `limit` newest lines, newest first, and whether that is all. Of the same instant: as they came."""
    ordered = sorted(lines, key=lambda line: line.at, reverse=True)
    return tuple(ordered[:limit]), len(ordered) <= limit


def spellings(number: str, home: str) -> tuple[str, ...]:
    """Return how a network may have shown the number of somebody who rang us: as it is, E.164, with and without +.

    `home` (ISO 3166) is where a number without + belongs. Nothing for a number that was withheld.
    """
    if not number:
        return ()
    e164 = as_e164(number, home)
    if e164 is None:
        return (number,)
    national = f"0{e164.removeprefix('+81')}" if home == "JP" and e164.startswith("+81") else ""
    found = (e164, number, e164.removeprefix("+"), national)
    return tuple(dict.fromkeys(spelling for spelling in found if spelling))


def next_version(at: datetime, before: datetime | None) -> datetime:
    """Return when a note counts as changed: at `at`, but always after its version before, so that no two are equal."""
    return at if before is None or at > before else before + _LEAST_STEP


def crm_address(template: str, number: str) -> str:
    """Return the address at which a CRM shows a customer; "" when there is no CRM, or no number to look for.

    The number is written so that it stays one value of the address, whatever a caller has sent as theirs.
    """
    return template.replace(PLACE_OF_NUMBER, quote(number, safe="")) if template and number else ""
