"""Menus: what a caller hears, which key leads where, and what becomes of whoever presses nothing.

A destination is data. Adding one means a class here, its word in `DESTINATIONS`, and its case in
`controller/journeys/destinations.py`; the type checker finds the case that is missing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class JoinQueue:
    """Wait for an agent of a queue."""

    queue: str


@dataclass(frozen=True, slots=True)
class JoinUrgently:
    """Wait for an agent of a queue ahead of all others, and be offered no callback first."""

    queue: str


@dataclass(frozen=True, slots=True)
class LeaveNumber:
    """Leave a number for a callback by a queue, without waiting first."""

    queue: str


@dataclass(frozen=True, slots=True)
class OpenMenu:
    """Go on to another menu, or back to one."""

    menu: str


@dataclass(frozen=True, slots=True)
class TextPage:
    """Web guidance (Web誘導): an SMS with the address of a page that answers the question."""

    page: str
    """The name of a `[[web_pages]]` entry."""


@dataclass(frozen=True, slots=True)
class TextBookingLink:
    """An SMS with the link to the page on which a callback by a queue is booked."""

    queue: str


@dataclass(frozen=True, slots=True)
class CallOut:
    """Connect the caller with a number outside, such as an answering service."""

    number: str


@dataclass(frozen=True, slots=True)
class SayGoodbye:
    """Play one prompt and hang up."""

    prompt: str


@dataclass(frozen=True, slots=True)
class SwitchLanguage:
    """Go on in another language, from the start of the same menu; remembered for the caller."""

    language: str


@dataclass(frozen=True, slots=True)
class Repeat:
    """Say the menu again. Does not count as a try."""


Destination = (
    JoinQueue
    | JoinUrgently
    | LeaveNumber
    | OpenMenu
    | TextPage
    | TextBookingLink
    | CallOut
    | SayGoodbye
    | SwitchLanguage
    | Repeat
)

DESTINATIONS: Mapping[str, type[Destination]] = {
    "queue": JoinQueue,
    "urgent": JoinUrgently,
    "callback": LeaveNumber,
    "menu": OpenMenu,
    "web_page": TextPage,
    "booking_link": TextBookingLink,
    "external": CallOut,
    "message": SayGoodbye,
    "language": SwitchLanguage,
    "repeat": Repeat,
}
"""The words of the settings: `{ queue = "support" }`, `{ message = "moved" }`, `{ repeat = true }`."""

ONLY_IN_MENUS: frozenset[type[Destination]] = frozenset({SwitchLanguage, Repeat})
"""Mean something only as the answer to a menu: not where an overflow or a closed queue can lead."""


@dataclass(frozen=True, slots=True)
class Menu:
    """One question with keys for answers."""

    name: str
    prompts: tuple[str, ...]
    """Said in order; any key cuts them short."""
    keys: Mapping[str, Destination]
    no_key: Destination
    """Where a caller goes who pressed nothing, `tries` times over: a phone without keys must lead somewhere."""
    wrong_key: Destination
    """Where a caller goes whose key means nothing, `tries` times over."""
    tries: int = 3
    first_key_timeout_s: float = 5


@dataclass(frozen=True, slots=True)
class WebPage:
    """A page that answers a question, sent by SMS."""

    name: str
    url: str
    titles: Mapping[str, str] = field(default_factory=dict)
    """What the page is about, by language."""


@dataclass(frozen=True, slots=True)
class Entrance:
    """A way in: the numbers that were dialled, the language, and what comes first."""

    name: str
    dialled_numbers: tuple[str, ...]
    language: str
    leads_to: Destination
    welcome: str = "welcome"
    """The prompt that greets; an id in the catalogue."""
