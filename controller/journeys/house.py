"""What every journey is given: the rooms it may use, and the queue it plays in."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from controller.domain.gate import CallingHours
from controller.domain.opening_hours import OpeningHours, always_open
from controller.domain.promise import DEFAULT_PBX
from controller.domain.recording import RecordingMode
from controller.journeys.closed_by_hand import ClosedByHand
from controller.journeys.preview_choices import PreviewChoices
from controller.journeys.recorded import Recorded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from controller.domain.calling_hours import NumberHours
    from controller.domain.caps import Caps
    from controller.domain.menu import Destination, Menu, WebPage
    from controller.domain.opening_hours import OpeningHours
    from controller.domain.phone_number import NumberPlan
    from controller.domain.slots import SlotPlan
    from controller.ports.call_log import CallLog
    from controller.ports.callers import CallerMemory
    from controller.ports.calls import Telephony
    from controller.ports.clock import Clock
    from controller.ports.do_not_call import DoNotCallBook
    from controller.ports.lease import Leadership
    from controller.ports.line import Line
    from controller.ports.links import BookingLinks
    from controller.ports.promises import PromiseBook
    from controller.ports.queue_log import QueueLog
    from controller.ports.recordings import RecordingBook
    from controller.ports.sms import SmsRequests


class Offer(StrEnum):
    """When a caller in line is told that they can be called back. The key works all the time, unless never."""

    AT_ONCE = "at_once"
    BY_WAIT = "by_wait"
    """Once the far end of the expected wait passes `Announcements.offer_wait_s`."""
    ON_KEY = "on_key"
    """Not told; for centres whose greeting says it."""
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Announcements:
    """What a caller in line hears beside the music. Any key that means something cuts it short."""

    interval_s: float = 30
    place: bool = False
    wait: bool = False
    offer: Offer = Offer.AT_ONCE
    offer_wait_s: float = 120


@dataclass(frozen=True, slots=True)
class Limits:
    """When the line is not for this caller, and where they go instead. None: no such limit."""

    max_wait_s: float | None = None
    on_max_wait: Destination | None = None
    max_length: int | None = None
    """Live callers who wait."""
    on_full: Destination | None = None
    overflow_wait_s: float | None = None
    """Who would wait longer than this, by the far end of the expected wait, overflows (あふれ呼) on arrival."""
    on_overflow: Destination | None = None
    on_no_agents: Destination | None = None
    """Nobody is on duty, on arrival or later."""
    on_closed: Destination | None = None
    """None: a callback is offered for when the queue is open."""


@dataclass(frozen=True, slots=True)
class Recapture:
    """What is done for somebody who hung up in line without a promise."""

    after_s: float
    """Who waited less changed their mind."""


class DialMode(StrEnum):
    """How the customers of a queue are called back."""

    AGENT_FIRST = "agent_first"
    """An agent is reserved and rung, hears whose callback it is, and then the customer is dialled."""
    PREVIEW = "preview"
    """The same, and the agent says by key whether to dial, to pass it to a colleague, or to put it off."""
    CUSTOMER_FIRST = "customer_first"
    """The customer is dialled when an agent is about to be free, and waits at the front once they have confirmed."""


@dataclass(frozen=True, slots=True)
class Callbacks:
    """How callbacks of a queue are made."""

    mode: DialMode = DialMode.AGENT_FIRST
    postpone_s: float = 1800
    """By how much an agent who sees a promise beforehand puts it off."""
    pass_pause_s: float = 600
    """How long an agent who passed a promise on is not asked for it again."""
    max_deck_s: float = 120
    """How long a customer who has confirmed waits for an agent at most (customer first)."""
    detect_machine: bool = False
    """Listen for an answering machine (AMD) before anybody speaks; without, a key tells."""
    machine_message: str | None = None
    """The prompt that a machine records; None: it gets nothing."""


@dataclass(frozen=True, slots=True)
class Queue:
    """A named service that callers wait for, as far as a journey needs to know it."""

    name: str
    language: str
    hours: OpeningHours = field(default_factory=lambda: always_open(ZoneInfo("Asia/Tokyo")))
    calling_hours: CallingHours = field(default_factory=CallingHours)
    """When its customers may be rung."""
    announcements: Announcements = field(default_factory=Announcements)
    limits: Limits = field(default_factory=Limits)
    slots: SlotPlan | None = None
    """None: no times can be booked."""
    recapture: Recapture | None = None
    confirm_sms: bool = False
    """Who leaves a number by phone gets an SMS that says what was promised."""
    callbacks: Callbacks = field(default_factory=Callbacks)
    recording: RecordingMode = RecordingMode.OFF
    """Whether its talks are recorded, and how customers agree to it."""
    agent_ring_timeout_s: float = 20
    customer_ring_timeout_s: float = 30
    wrap_up_s: float = 10
    missed_pause_s: float = 30
    """How long an agent who did not answer is left in peace."""


@dataclass(frozen=True, slots=True)
class House:
    """The collaborators of a journey."""

    line: Line
    telephony: Telephony
    promises: PromiseBook
    calls: CallLog
    queue_log: QueueLog
    texts: SmsRequests
    callers: CallerMemory | None
    """None: nothing is remembered of callers."""
    clock: Clock
    plan: NumberPlan
    new_id: Callable[[], str]
    do_not_call: DoNotCallBook
    links: BookingLinks
    leadership: Leadership
    caps_for: Callable[[str], Caps]
    """The caps of a number (E.164)."""
    queues: Mapping[str, Queue]
    pbx: str = DEFAULT_PBX
    """The Asterisk that this office works for, by its name."""
    hours_for: Callable[[str], NumberHours] | None = None
    """When a number (E.164) may be rung; None: when the queue says."""
    dry_run: bool = False
    """Callbacks are rehearsed: everything is done but the call, and no agent's phone rings."""
    menus: Mapping[str, Menu] = field(default_factory=dict)
    web_pages: Mapping[str, WebPage] = field(default_factory=dict)
    languages: tuple[str, ...] = ("ja", "en")
    """Every language that there are prompts in."""
    closures: ClosedByHand = field(default_factory=ClosedByHand)
    """Which queues a person has closed."""
    choices: PreviewChoices = field(default_factory=PreviewChoices)
    """What agents choose on a screen."""
    recordings: RecordingBook | None = None
    """None: nothing is recorded, whatever a queue says."""
    recorded: Recorded = field(default_factory=Recorded)
    """Which talks are being recorded."""

    def is_open(self, queue: Queue, at: datetime) -> bool:
        """Tell whether a queue takes callers at an instant: by its hours, and by hand."""
        return queue.hours.is_open(at) and self.closures.of(queue.name, at) is None

    @property
    def first_queue(self) -> Queue:
        """The one that stands for the house where no queue is meant."""
        return next(iter(self.queues.values()))

    def may_be_called(self, number: str, queue: Queue, at: datetime) -> bool:
        """Tell whether a number (E.164) that left a promise with `queue` may be rung at an instant."""
        hours = queue.calling_hours if self.hours_for is None else self.hours_for(number)
        return hours.allow(at)
