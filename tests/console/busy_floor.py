"""A floor on which everything happens that can: for whoever looks at screens."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from controller.domain.agents import AgentState
from controller.domain.line import WaiterKind
from controller.domain.promise import PromiseState
from controller.ports.floor import (
    AgentEntry,
    EntryState,
    FloorNow,
    LineEntry,
    PbxEntry,
    Problem,
    QueueEntry,
    Severity,
    Told,
    TrunkEntry,
)

if TYPE_CHECKING:
    from datetime import datetime

PBX = "asterisk"
LIVE, PROMISE = WaiterKind.LIVE, WaiterKind.PROMISE
NUMBERS = tuple(f"+8190123456{nth:02}" for nth in range(10, 30))
LATE = "promise-late"


def busy_floor(now: datetime) -> FloorNow:
    """Return the floor of a busy minute."""

    def ago(minutes: float) -> datetime:
        return now - timedelta(minutes=minutes)

    return FloorNow(
        at=now,
        line=_line(now),
        agents=(
            AgentEntry("aoki", PBX, ("support",), AgentState.ON_CALL, ago(4.2), "", True, False, queue="support"),
            AgentEntry(
                "baba", PBX, ("support", "sales"), AgentState.RINGING, ago(0.1), "", True, False, queue="support"
            ),
            AgentEntry("chiba", PBX, ("support",), AgentState.WRAP_UP, ago(0.5), "", True, True, queue="support"),
            AgentEntry("doi", PBX, ("support", "sales"), AgentState.PAUSED, ago(22), "lunch", True, True),
            AgentEntry("endo", PBX, ("sales",), AgentState.AVAILABLE, ago(3), "", True, True),
            AgentEntry("fujita", PBX, ("support",), AgentState.ON_CALL, ago(1.3), "", True, False, queue="support"),
            AgentEntry("goto", PBX, ("support",), AgentState.SIGNED_OUT, ago(60)),
            AgentEntry("honda", PBX, ("support",), AgentState.PAUSED, ago(0.4), "missed", True, True),
        ),
        queues=(
            QueueEntry(
                "support",
                is_open=True,
                live=4,
                promises_due=2,
                promises_later=1,
                agents_on_duty=5,
                agents_free=0,
                longest_wait_since=ago(9.5),
                expected_low_s=240,
                expected_high_s=540,
            ),
            QueueEntry(
                "sales",
                is_open=False,
                opens_at=now + timedelta(hours=23),
                closed_by="tanaka",
                agents_on_duty=1,
                agents_free=1,
            ),
        ),
        trunks=(
            TrunkEntry("hikari", PBX, healthy=True, calls=7, circuits=12),
            TrunkEntry("reserve", PBX, healthy=False, calls=0, circuits=4, failures=3, rests_s=40),
        ),
        pbxs=(PbxEntry(PBX, "in_control", "orikaeshi-1"),),
        problems=(
            Problem("promise_late", Severity.WARNING, LATE, ago(3)),
            Problem("trunk_down", Severity.CRITICAL, "reserve", ago(12)),
        ),
    )


def _line(now: datetime) -> tuple[LineEntry, ...]:
    def ago(minutes: float) -> datetime:
        return now - timedelta(minutes=minutes)

    def waiting(an_id: str, kind: WaiterKind, minutes: float, nth: int, place: int | None) -> LineEntry:
        return LineEntry(an_id, kind, "support", PBX, ago(minutes), EntryState.WAITING, NUMBERS[nth], place)

    def told(minutes: float, low_s: float, high_s: float) -> Told:
        return Told(ago(minutes), low_s, high_s)

    expected: dict[str, Any] = {"expected_low_s": 200.0, "expected_high_s": 420.0}
    return (
        replace(waiting("call-urgent", LIVE, 1.2, 0, 1), urgent=True, expected_low_s=20, expected_high_s=90),
        replace(waiting("call-holds", LIVE, 4.0, 1, 2), told=told(1, 120, 480), passed=1, **expected),
        replace(waiting(LATE, PROMISE, 38, 2, 3), due_by=ago(3), promise=PromiseState.WAITING, attempts_used=1),
        replace(waiting("call-risk", LIVE, 6.1, 3, 4), told=told(4, 120, 300), **expected),
        replace(waiting("call-broken", LIVE, 9.5, 4, 5), told=told(9, 60, 240), passed=2, **expected),
        replace(waiting("promise-due", PROMISE, 21, 5, 6), due_by=now + timedelta(minutes=24), **expected),
        replace(
            waiting("promise-slot", PROMISE, 130, 6, None),
            due_at=now + timedelta(hours=2),
            slot_starts_at=now + timedelta(hours=2),
            slot_ends_at=now + timedelta(hours=2, minutes=30),
            due_by=now + timedelta(hours=2, minutes=30),
        ),
        LineEntry(
            "call-talks",
            LIVE,
            "support",
            PBX,
            ago(6),
            EntryState.TALKING,
            NUMBERS[7],
            agent="aoki",
            state_since=ago(4.2),
        ),
        LineEntry("call-rings", LIVE, "support", PBX, ago(3), EntryState.RINGING, NUMBERS[8], agent="baba"),
        LineEntry(
            "promise-dialled",
            PROMISE,
            "support",
            PBX,
            ago(55),
            EntryState.DIALLING,
            NUMBERS[9],
            agent="fujita",
            promise=PromiseState.DIALLING,
            attempts_used=2,
        ),
        LineEntry("call-hidden", LIVE, "support", PBX, ago(2), EntryState.TALKING, None, agent="fujita"),
    )
