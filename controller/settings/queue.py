"""One queue: its names and numbers, hours, what callers hear, when it is full, and how callbacks are tried."""

from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from controller.domain.menu import Destination, Entrance, JoinQueue
from controller.domain.menu_graph import LIMITS, Turn
from controller.domain.opening_hours import OpeningHours, always_open
from controller.domain.retry_policy import RetryPolicy
from controller.domain.slots import SlotPlan
from controller.settings.callbacks import Callbacks
from controller.settings.destinations import Onward
from controller.settings.figures import Figures
from controller.settings.menus import Titled
from controller.settings.opening import QueueHours, Slots
from controller.settings.retries import MaxDials, Retry, retry_policy
from controller.settings.values import (
    DialledNumber,
    Language,
    LimitSeconds,
    Name,
    PhoneNumber,
    RingSeconds,
    Seconds,
    Section,
    SmsSender,
)

_LONGEST_GAP_S = 7 * 24 * 3600.0
_RECAPTURE_AFTER_S = 10.0
_OFFER_WAIT_S = 120.0


class Announcements(Section):
    """What a caller in line hears beside the music."""

    interval_s: Annotated[float, Field(ge=1, le=3600, allow_inf_nan=False)] = 30
    place: bool = False
    wait: bool = False
    offer: Literal["at_once", "by_wait", "on_key", "never"] = "at_once"
    """When a caller is told that they can be called back; the words are `controller.journeys.house.Offer`."""
    offer_wait_s: Seconds | None = None

    @property
    def offer_after_wait_s(self) -> float:
        """How long the expected wait must be for the offer to be made by it."""
        return _OFFER_WAIT_S if self.offer_wait_s is None else self.offer_wait_s


class Limits(Section):
    """When the line is not for this caller, and where they go instead. None: no such limit."""

    max_wait_s: LimitSeconds | None = None
    on_max_wait: Onward | None = None
    max_length: Annotated[int, Field(ge=1, le=10_000)] | None = None
    on_full: Onward | None = None
    overflow_wait_s: LimitSeconds | None = None
    on_overflow: Onward | None = None
    on_no_agents: Onward | None = None
    on_closed: Onward | None = None

    @property
    def exits(self) -> dict[Turn, Destination]:
        """Where a caller goes, by what happens; what has no destination is left out."""
        return {turn: one for turn in LIMITS if (one := getattr(self, turn.value)) is not None}


class Queue(Titled):
    """One service that callers wait for."""

    name: Name
    dialled_numbers: tuple[DialledNumber, ...] = ()
    """Numbers that lead straight here; others may come through an entrance, a menu, or another queue."""
    language: Language = "ja"
    music: Name | None = None
    """The class of hold music on the PBX; None: its default."""
    agent_ring_timeout_s: RingSeconds = 20
    customer_ring_timeout_s: RingSeconds = 30
    wrap_up_s: Seconds = 10
    missed_pause_s: Seconds = 30
    max_attempts: Annotated[int, Field(ge=1, le=20)] = 3
    max_dials: MaxDials | None = None
    """Calls that leave for one promise, those that use up no attempt included."""
    promise_lifetime_h: Annotated[float, Field(gt=0, le=30 * 24, allow_inf_nan=False)] = 24
    recapture_sms: bool = False
    recapture_after_s: Seconds | None = None
    confirm_sms: bool = False
    """Who leaves a number by phone gets an SMS that says what was promised."""
    sms_sender: SmsSender | None = None
    """Who its SMS come from; None: sms.sender."""
    late_notice_s: Annotated[float, Field(ge=60, le=3600, allow_inf_nan=False)] = 300
    """A customer whose time cannot be kept is told so long before it ends, at the latest."""
    callbacks: Callbacks = Callbacks()
    recording: Literal["off", "announced", "asked"] = "off"
    """Whether talks are recorded, and how customers agree to it; `controller.domain.recording.RecordingMode`."""
    caller_id: PhoneNumber | None = None
    """The number that its customers see; None: that of the trunk."""
    announcements: Announcements = Announcements()
    hours: QueueHours | None = None
    slots: Slots | None = None
    limits: Limits = Limits()
    figures: Figures = Field(default_factory=Figures)
    """Where its calls are counted otherwise than those of the house."""
    retry_gap_s: dict[str, Annotated[float, Field(ge=0, le=_LONGEST_GAP_S, allow_inf_nan=False)]] = Field(
        default_factory=dict
    )
    """Own waits before the next attempt, by outcome (`controller.domain.outcome.Outcome`): the short form."""
    retry: dict[str, Retry] = Field(default_factory=dict)
    """All that follows an outcome, by its name."""

    def retry_policy(self, zone: ZoneInfo) -> RetryPolicy:
        """Return attempts and gaps, as the domain counts them; `zone` is the clock where the queue names none."""
        return retry_policy(
            max_attempts=self.max_attempts,
            max_dials=self.max_dials,
            lifetime_s=self.promise_lifetime_h * 3600,
            gap_s=self.retry_gap_s,
            retry=self.retry,
            zone=self.opening_hours(zone).zone,
        )

    @property
    def recaptured_after_s(self) -> float | None:
        """How long somebody must have waited to be sent an SMS when they hang up; None: nobody is sent one."""
        if not self.recapture_sms:
            return None
        return _RECAPTURE_AFTER_S if self.recapture_after_s is None else self.recapture_after_s

    @property
    def slot_plan(self) -> SlotPlan | None:
        """How times can be booked; None: they cannot."""
        return self.slots.slot_plan if self.slots else None

    @property
    def entrance(self) -> Entrance | None:
        """The way in that the queue's own numbers are; None when it has none."""
        if not self.dialled_numbers:
            return None
        return Entrance(self.name, self.dialled_numbers, self.language, JoinQueue(self.name))

    def opening_hours(self, zone: ZoneInfo) -> OpeningHours:
        """Return the queue's hours; `zone` is the clock where none is named. Without hours it is always open."""
        return self.hours.opening_hours(zone) if self.hours else always_open(zone)
