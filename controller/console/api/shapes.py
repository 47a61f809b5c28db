"""The floor on the wire. Times are RFC 3339 in UTC with Z; a length of time has its unit in its name.

Phone numbers are whole for whoever has `numbers:read`, and masked for everybody else.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

from controller.domain.agents import AgentState  # noqa: TC001 - msgspec reads the annotations when it runs
from controller.domain.line import WaiterKind  # noqa: TC001 - likewise
from controller.domain.phone_number import as_printed
from controller.domain.promise import PromiseState  # noqa: TC001 - likewise
from controller.domain.recording import RecordingState  # noqa: TC001 - likewise
from controller.ports.floor import EntryState, Severity  # noqa: TC001 - likewise

if TYPE_CHECKING:
    from collections.abc import Callable

    from controller.ports.floor import AgentEntry, FloorNow, LineEntry, QueueEntry, TrunkEntry

At = Annotated[datetime, Meta(tz=True, description="An instant, RFC 3339")]
Seconds = Annotated[float, Meta(ge=0)]
QueueName = Annotated[str, Meta(min_length=1, max_length=64, description="A queue, by its name in the settings")]
AgentName = Annotated[str, Meta(min_length=1, max_length=64, description="An agent, by their name in the settings")]
Cursor = Annotated[str, Meta(min_length=1, max_length=600, description="`next_cursor` of the page before")]
Limit = Annotated[int, Meta(ge=1, le=200, description="How many at most")]
PhoneNumber = Annotated[
    str,
    Meta(
        min_length=3,
        max_length=32,
        description="E.164, or as it is written at home",
        examples=["+819012345678", "090-1234-5678"],
    ),
]
NumberShown = Annotated[
    str | None, Meta(description="E.164, or as the network showed it; masked without numbers:read; null: withheld")
]

PrintedNumber = Annotated[
    str, Meta(description="The number as people write it at home, masked like `number`; empty: withheld")
]
_MOST_PRINTED = 4096
"""Numbers of which it is remembered how they are written: it costs, and a line is told five times a second."""


class Frozen(msgspec.Struct, frozen=True, kw_only=True):
    """What all answers are."""


class Asked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What all that is asked is: nothing in it may be unknown."""


class Range(Frozen, frozen=True):
    """A wait: from so many seconds to so many."""

    low_s: float
    high_s: float


class ToldWait(Range, frozen=True):
    """A wait that was announced, counted from `at`."""

    at: At


class LineItem(Frozen, frozen=True):
    """Somebody in the line, or being served: a live caller, or a promise."""

    id: str
    kind: WaiterKind
    queue: str
    pbx: str
    since: At
    """When the caller arrived: their place."""
    state: EntryState
    number: NumberShown
    printed: PrintedNumber
    place: int | None
    """Among those who wait for the queue and are due; null: not due yet, or not waiting."""
    due_at: At | None
    urgent: bool
    passed: int
    """How many who came later were served before."""
    told: ToldWait | None
    """What a live caller was told last."""
    expected: Range | None
    """How long it will probably take from now."""
    agent: str
    """Who serves them, or is the only one who is to; empty for everybody."""
    state_since: At | None
    promise_state: PromiseState | None
    due_by: At | None
    slot_starts_at: At | None
    slot_ends_at: At | None
    attempts_used: int


class AgentItem(Frozen, frozen=True):
    """One agent."""

    name: str
    pbx: str
    queues: tuple[str, ...]
    state: AgentState
    since: At
    reason: str
    """Of a pause."""
    phone_registered: bool
    phone_idle: bool
    rest_ends_at: At | None
    """When wrap-up, or the rest after a missed call, is over by itself."""
    waiter_id: str
    """Whom they are reserved for, ring for, talk with, or wrap up; empty for nobody."""
    queue: str
    talks_today: int
    recording: RecordingState | None
    """Of the talk that they are in; null: it is not recorded."""


class QueueItem(Frozen, frozen=True):
    """One queue."""

    name: str
    titles: dict[str, str]
    """What people call it, by language."""
    is_open: bool
    opens_at: At | None
    closed_by: str
    """Who closed it by hand; empty for nobody."""
    closed_until: At | None
    live: int
    """Callers who hold."""
    promises_due: int
    promises_later: int
    agents_on_duty: int
    agents_free: int
    longest_wait_since: At | None
    """The arrival of the caller who has held longest."""
    expected: Range | None
    """What somebody who joins now would be told."""


class TrunkItem(Frozen, frozen=True):
    """One trunk of one Asterisk."""

    name: str
    pbx: str
    healthy: bool
    calls: int
    circuits: int
    failures: int
    rests_s: float


class PbxItem(Frozen, frozen=True):
    """One Asterisk."""

    name: str
    state: str
    member: str


class ProblemItem(Frozen, frozen=True):
    """Something that needs a person."""

    kind: str
    severity: Severity
    what: str
    since: At | None


class FloorShape(Frozen, frozen=True):
    """The floor as it is."""

    at: At
    line: tuple[LineItem, ...]
    agents: tuple[AgentItem, ...]
    queues: tuple[QueueItem, ...]
    trunks: tuple[TrunkItem, ...]
    pbxs: tuple[PbxItem, ...]
    problems: tuple[ProblemItem, ...]


@lru_cache(_MOST_PRINTED)
def printed(number: str, home: str) -> str:
    """Return a number as people at home write it."""
    return as_printed(number, home)


def line_item(one: LineEntry, shown: Callable[[str | None], str | None], home: str) -> LineItem:
    """Return somebody in the line as they are told; `shown` masks numbers (`Ask.shown`), `home` is their country."""
    return LineItem(
        id=one.id,
        kind=one.kind,
        queue=one.queue,
        pbx=one.pbx,
        since=one.since,
        state=one.state,
        number=shown(one.number),
        printed=shown(printed(one.number, home) if one.number else None) or "",
        place=one.place,
        due_at=one.due_at,
        urgent=one.urgent,
        passed=one.passed,
        told=ToldWait(at=one.told.at, low_s=one.told.low_s, high_s=one.told.high_s) if one.told else None,
        expected=_range(one.expected_low_s, one.expected_high_s),
        agent=one.agent,
        state_since=one.state_since,
        promise_state=one.promise,
        due_by=one.due_by,
        slot_starts_at=one.slot_starts_at,
        slot_ends_at=one.slot_ends_at,
        attempts_used=one.attempts_used,
    )


def agent_item(one: AgentEntry) -> AgentItem:
    """Return an agent as they are told."""
    return AgentItem(
        name=one.name,
        pbx=one.pbx,
        queues=tuple(one.queues),
        state=one.state,
        since=one.since,
        reason=one.reason,
        phone_registered=one.phone_registered,
        phone_idle=one.phone_idle,
        rest_ends_at=one.rest_ends_at,
        waiter_id=one.waiter_id,
        queue=one.queue,
        talks_today=one.talks_today,
        recording=one.recording,
    )


def queue_item(one: QueueEntry, titles: dict[str, str]) -> QueueItem:
    """Return a queue as it is told; `titles` by language."""
    return QueueItem(
        name=one.name,
        titles=titles,
        is_open=one.is_open,
        opens_at=one.opens_at,
        closed_by=one.closed_by,
        closed_until=one.closed_until,
        live=one.live,
        promises_due=one.promises_due,
        promises_later=one.promises_later,
        agents_on_duty=one.agents_on_duty,
        agents_free=one.agents_free,
        longest_wait_since=one.longest_wait_since,
        expected=_range(one.expected_low_s, one.expected_high_s),
    )


def floor_shape(
    floor: FloorNow, shown: Callable[[str | None], str | None], titles: Callable[[str], dict[str, str]], home: str
) -> FloorShape:
    """Return the floor as it is told; `titles` gives those of a queue, by language."""
    return FloorShape(
        at=floor.at,
        line=tuple(line_item(one, shown, home) for one in floor.line),
        agents=tuple(map(agent_item, floor.agents)),
        queues=tuple(queue_item(one, titles(one.name)) for one in floor.queues),
        trunks=tuple(map(_trunk, floor.trunks)),
        pbxs=tuple(PbxItem(name=one.name, state=str(one.state), member=one.member) for one in floor.pbxs),
        problems=tuple(
            ProblemItem(kind=one.kind, severity=one.severity, what=one.what, since=one.since) for one in floor.problems
        ),
    )


def _trunk(one: TrunkEntry) -> TrunkItem:
    return TrunkItem(
        name=one.name,
        pbx=one.pbx,
        healthy=one.healthy,
        calls=one.calls,
        circuits=one.circuits,
        failures=one.failures,
        rests_s=one.rests_s,
    )


def _range(low_s: float | None, high_s: float | None) -> Range | None:
    return None if low_s is None or high_s is None else Range(low_s=low_s, high_s=high_s)
