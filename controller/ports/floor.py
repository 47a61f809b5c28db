"""The floor (現場): the line, the agents and what they depend on, as they are now, and what can be done there.

What is told here is in memory, and costs nobody a transaction. All numbers are whole: whoever shows them masks them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from controller.domain.agents import AgentState
    from controller.domain.line import WaiterKind
    from controller.domain.promise import PromiseState
    from controller.domain.recording import RecordingState


class EntryState(StrEnum):
    """What happens to somebody in the list."""

    WAITING = "waiting"
    RINGING = "ringing"
    """An agent's phone rings for them, or the agent hears whose callback it is."""
    DIALLING = "dialling"
    """They are being called back."""
    TALKING = "talking"


@dataclass(frozen=True, slots=True)
class Told:
    """A wait that was announced: a range in seconds, counted from `at`."""

    at: datetime
    low_s: float
    high_s: float


@dataclass(frozen=True, slots=True)
class LineEntry:
    """A live caller or a promise, waiting or being served. Times are aware UTC."""

    id: str
    """A call's id or a promise's."""
    kind: WaiterKind
    queue: str
    pbx: str
    """The Asterisk; of a promise that waits: that of the office that tells."""
    since: datetime
    """When the caller arrived: their place."""
    state: EntryState
    number: str | None = None
    """E.164, or as the network showed it; None: withheld."""
    place: int | None = None
    """Among those who wait for the queue and are due; 1 is the next. None: not due yet, or not waiting."""
    due_at: datetime | None = None
    """Not before then; None: at once."""
    urgent: bool = False
    passed: int = 0
    """How many who came later were served before."""
    told: Told | None = None
    """What a live caller was told last."""
    expected_low_s: float | None = None
    expected_high_s: float | None = None
    """How long it will probably take from now; None: nobody is on duty, or not waiting."""
    agent: str = ""
    """Who serves them, or is the only one who is to."""
    state_since: datetime | None = None
    promise: PromiseState | None = None
    due_by: datetime | None = None
    """Of a promise: the end of what was promised."""
    slot_starts_at: datetime | None = None
    slot_ends_at: datetime | None = None
    attempts_used: int = 0


@dataclass(frozen=True, slots=True)
class AgentEntry:
    """One agent."""

    name: str
    pbx: str
    queues: tuple[str, ...]
    state: AgentState
    since: datetime
    reason: str = ""
    """Of a pause: the word of the reports; "missed" after a call that was not answered."""
    phone_registered: bool = False
    phone_idle: bool = False
    rest_ends_at: datetime | None = None
    """When wrap-up, or the rest after a missed call, will be over by itself."""
    waiter_id: str = ""
    """Whom they are reserved for, ring for, talk with, or wrap up."""
    queue: str = ""
    """The queue of that waiter."""
    talks_today: int = 0
    recording: RecordingState | None = None
    """Of the talk that they are in; None: it is not recorded."""


@dataclass(frozen=True, slots=True)
class QueueEntry:
    """One queue, over all offices of this process."""

    name: str
    is_open: bool
    opens_at: datetime | None = None
    closed_by: str = ""
    """Who closed it by hand; "" for nobody."""
    closed_until: datetime | None = None
    live: int = 0
    """Callers who hold (待ち呼)."""
    promises_due: int = 0
    promises_later: int = 0
    agents_on_duty: int = 0
    agents_free: int = 0
    longest_wait_since: datetime | None = None
    """The arrival of the live caller who has held longest."""
    expected_low_s: float | None = None
    expected_high_s: float | None = None
    """What somebody who joins now would be told; None: nobody is on duty."""


@dataclass(frozen=True, slots=True)
class TrunkEntry:
    """One trunk of one Asterisk."""

    name: str
    pbx: str
    healthy: bool
    calls: int
    circuits: int
    failures: int = 0
    rests_s: float = 0.0


@dataclass(frozen=True, slots=True)
class PbxEntry:
    """One Asterisk."""

    name: str
    state: str
    """As `controller.web.health.OfficeState` has it."""
    member: str = ""
    """The controller that has it; "" when nobody knows."""


class Severity(StrEnum):
    """How soon a person is needed."""

    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that needs a person. `kind` is looked up in the texts of the pages, and filled with the other words."""

    kind: str
    """`pbx_away`, `trunk_down`, `no_agents`, `phone_away`, `promise_late`, `reply_needs_person`, `sms_stopped`,
    `hook_failing`."""
    severity: Severity
    what: str = ""
    """Which trunk, queue, agent, promise or webhook; "" where there is only one."""
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class FloorNow:
    """All of it, at one moment."""

    at: datetime
    line: tuple[LineEntry, ...] = ()
    """First to be served first; then who is being served."""
    agents: tuple[AgentEntry, ...] = ()
    queues: tuple[QueueEntry, ...] = ()
    trunks: tuple[TrunkEntry, ...] = ()
    pbxs: tuple[PbxEntry, ...] = ()
    problems: tuple[Problem, ...] = ()


class Refused(StrEnum):
    """Why something could not be done; nothing was changed."""

    UNKNOWN = "unknown"
    """There is no such agent, queue or waiter (any more)."""
    NOT_NOW = "not_now"
    """It does not fit the state that they are in."""
    ELSEWHERE = "elsewhere"
    """Another controller has this Asterisk; ask there."""
    NUMBER_HELD = "number_held"
    """The number already has a promise with that queue."""
    UNAVAILABLE = "unavailable"
    """The database or the PBX is away."""


class Floor(Protocol):
    """What supervisors see and do. Commands return None when it is done, or why it is not; none of them raises."""

    def now(self) -> FloorNow:
        """Return the floor as it is. Quick: no database is asked."""
        ...

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener`, which has to be quick, whenever `now` may have changed; return how to end that."""
        ...

    async def sign_in(self, agent: str) -> Refused | None:
        """Sign an agent in who has proved who they are otherwise."""
        ...

    async def sign_out(self, agent: str) -> Refused | None:
        """Sign an agent out, after the call that they may be on."""
        ...

    async def pause(self, agent: str, reason: str) -> Refused | None:
        """Pause an agent for a reason of `PAUSE_REASONS`, after the call that they may be on."""
        ...

    async def unpause(self, agent: str) -> Refused | None:
        """End an agent's pause."""
        ...

    async def end_wrap_up(self, agent: str) -> Refused | None:
        """End an agent's wrap-up before its time."""
        ...

    async def extend_wrap_up(self, agent: str, by_s: float) -> Refused | None:
        """Let an agent's wrap-up last longer, by so many seconds."""
        ...

    async def hang_up(self, agent: str) -> Refused | None:
        """End the talk that an agent is in; the wrap-up follows."""
        ...

    async def preview(self, agent: str, choice: str) -> Refused | None:
        """Choose as by key for an agent who is shown a promise: `dial`, `to_colleague` or `put_off`."""
        ...

    async def pause_recording(self, agent: str) -> Refused | None:
        """Keep nothing of what is said from now on in the talk that an agent is in; paused already is done.

        NOT_NOW: the talk is not recorded.
        """
        ...

    async def resume_recording(self, agent: str) -> Refused | None:
        """Go on recording the talk that an agent is in; what goes on already is done. NOT_NOW: it is not recorded."""
        ...

    async def prioritise(self, waiter_id: str, *, urgent: bool) -> Refused | None:
        """Put a caller or a promise ahead of those who are not urgent, or back."""
        ...

    async def assign(self, waiter_id: str, agent: str) -> Refused | None:
        """Let a caller or a promise wait for one agent alone; "" for everybody again."""
        ...

    async def move(self, waiter_id: str, queue: str) -> Refused | None:
        """Let a caller or a promise wait for another queue, with the same arrival."""
        ...

    async def close_queue(self, queue: str, *, by: str, until: datetime | None) -> Refused | None:
        """Close a queue now, whatever its hours say; callers who hold are served. None: until it is opened again."""
        ...

    async def open_queue(self, queue: str) -> Refused | None:
        """End what `close_queue` did: its hours count again."""
        ...

    async def announce(self, queue: str, prompt: str) -> Refused | None:
        """Let everybody who holds for a queue hear a prompt, by its name in the sounds of the PBX."""
        ...

    async def listen(self, agent: str, endpoint: str) -> Refused | None:
        """Let a phone (a PJSIP endpoint of ours) hear the talk that an agent is in; neither party hears it."""
        ...
