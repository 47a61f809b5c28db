"""What the console is handed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from controller.console.desk_rules import DeskRules

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from ipaddress import IPv4Network, IPv6Network
    from zoneinfo import ZoneInfo

    from controller.domain.figure_facts import Counting
    from controller.domain.phone_number import NumberPlan
    from controller.domain.staffing import Target
    from controller.journeys.house import Queue
    from controller.ports.clock import Clock
    from controller.ports.facts import FactsBook
    from controller.ports.floor import Floor
    from controller.ports.recordings import RecordingShelf
    from controller.store import Store


def no_shelf(_pbx: str) -> RecordingShelf | None:
    """Return no shelf for any Asterisk."""
    return None


@dataclass(frozen=True, slots=True)
class ShownQueue:
    """A queue, and what only screens and figures want to know of it."""

    queue: Queue
    titles: Mapping[str, str]
    """By language."""
    counting: Counting
    target: Target

    def title(self, language: str) -> str:
        """Return what people call it."""
        return self.titles.get(language) or next(iter(self.titles.values()), self.queue.name)


@dataclass(frozen=True, slots=True)
class ConsoleHouse:
    """The collaborators of the API and of the pages."""

    clock: Clock
    zone: ZoneInfo
    """The clock on the wall: days begin by it."""
    public_url: str
    """The address that browsers ask for, `https://orikaeshi.example.jp`; without a path."""
    floor: Floor
    facts: FactsBook
    store: Store
    queues: Mapping[str, ShownQueue]
    plan: NumberPlan
    """Which numbers may be promised a call."""
    counting: Counting
    """How all queues together are counted."""
    new_id: Callable[[], str]
    may_be_called: Callable[[str, str, datetime], bool]
    """Whether a number (E.164) of a queue may be rung at an instant."""
    shelf_of: Callable[[str], RecordingShelf | None] = no_shelf
    """Where the sound of an Asterisk is, by its name in the settings; None: no office of this process has it."""
    allows_listening: bool = False
    """The settings let a supervisor hear a talk as it goes on."""
    cursor_key: bytes | None = field(default=None, repr=False)
    """What cursors are signed with, the same after a restart; None: each process draws its own."""
    dispositions: tuple[str, ...] = ()
    """What an agent may call the result of a talk, as they read it."""
    desk: DeskRules = field(default_factory=DeskRules)
    """How the agents' desk is furnished."""
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    idle_s: float = 30 * 60.0
    """A session ends when nobody has used it for so long."""
    longest_session_s: float = 12 * 3600.0
    fresh_figures_s: float = field(default=5.0)
    """How old today's figures on a screen may be."""

    @property
    def now(self) -> datetime:
        """The time, aware UTC."""
        return self.clock.now()

    @property
    def host(self) -> str:
        """The public address as a browser asks for it: the name, and the port where it is not the usual one."""
        return urlsplit(self.public_url).netloc.lower()

    @property
    def origin(self) -> str:
        """The public address as a browser names where a request came from."""
        address = urlsplit(self.public_url)
        return f"{address.scheme}://{address.netloc}".lower()

    @property
    def is_encrypted(self) -> bool:
        """Browsers reach us by https."""
        return self.public_url.lower().startswith("https:")
