from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from controller.domain.evidence import AnsweredBy, Evidence
from controller.domain.lifecycle import (
    AttemptEnded,
    Cancelled,
    CancelReason,
    CustomerConnected,
    Postponed,
    PostponeReason,
)
from controller.domain.outcome import Outcome
from controller.domain.promise import Promise
from tests.contract.store_under_test import NOON, HandClock, attempt_for, dialling, make, rows, wanted

if TYPE_CHECKING:
    from typing import Any

    from controller.store import Store

SEEN = Evidence(
    trunk="trunk-a",
    cause=16,
    tech_cause=200,
    rang=True,
    timed_out=True,
    placed_at=NOON + timedelta(seconds=1),
    answered_at=NOON + timedelta(seconds=9),
    answered_by=AnsweredBy.HUMAN,
    confirmed_at=NOON + timedelta(seconds=12),
)
FACTS = "trunk, cause, tech_cause, rang, timed_out, placed_at, answered_at, answered_by, confirmed_at"
NO_FACTS = {
    "trunk": "",
    "cause": 0,
    "tech_cause": 0,
    "rang": 0,
    "timed_out": 0,
    "placed_at": None,
    "answered_at": None,
    "answered_by": "not_asked",
    "confirmed_at": None,
}


def kept(instant: str) -> str:
    """Return a time of day in the afternoon of UTC as the database keeps it."""
    return f"2030-05-06 03:00:{instant}.123456"


ALL_FACTS = {
    "trunk": "trunk-a",
    "cause": 16,
    "tech_cause": 200,
    "rang": 1,
    "timed_out": 1,
    "placed_at": kept("01"),
    "answered_at": kept("09"),
    "answered_by": "human",
    "confirmed_at": kept("12"),
}


async def facts(store: Store) -> list[dict[str, Any]]:
    """Return what is kept of each attempt, in order."""
    return await rows(store, f"SELECT {FACTS} FROM attempts ORDER BY id")  # noqa: S608 - the names above


async def details(store: Store) -> list[str]:
    """Return the details of the history."""
    return [row["detail"] for row in await rows(store, "SELECT detail FROM promise_events ORDER BY promise_id, seq")]


async def test_what_was_seen_of_an_attempt_is_kept_with_it(store: Store) -> None:
    """Written at its end, to the one that ended; the next one has its own."""
    promise = await dialling(store, attempt_id="a1")
    assert await facts(store) == [NO_FACTS]
    waits = await store.promises.advance(promise.id, AttemptEnded(Outcome.BUSY, evidence=SEEN))
    await store.promises.open_attempt(waits, attempt_for(waits, "a2"))
    assert await facts(store) == [ALL_FACTS, NO_FACTS]
    await store.promises.advance(promise.id, AttemptEnded(Outcome.NO_ANSWER))
    assert await facts(store) == [ALL_FACTS, NO_FACTS]


async def test_what_was_seen_is_kept_of_a_call_that_was_cancelled_on_its_way_too(store: Store) -> None:
    """The promise is over; its attempt ends as it ended."""
    promise = await dialling(store)
    await store.promises.advance(promise.id, Cancelled(CancelReason.STOP))
    await store.promises.advance(promise.id, AttemptEnded(Outcome.WITHDRAWN, evidence=SEEN))
    assert await facts(store) == [ALL_FACTS]
    assert await rows(store, "SELECT outcome FROM attempts") == [{"outcome": "withdrawn"}]


async def test_the_agent_of_a_customer_who_was_dialled_first_is_known_at_the_end(store: Store) -> None:
    """Another one's name is not written over that of an agent who was rung first."""
    agents = []
    for n, given in enumerate(("", "hanako")):
        promise = (await make(store, wanted(f"call-{n}", number=f"+8190123400{n:02}"))).promise
        await store.promises.open_attempt(promise, attempt_for(promise, f"a{n}", agent=given))
        await store.promises.advance(promise.id, CustomerConnected())
        await store.promises.advance(promise.id, AttemptEnded(Outcome.TALKED, agent="taro"))
        agents += await rows(store, f"SELECT agent FROM attempts WHERE id = 'a{n}'")  # noqa: S608 - our own number
    assert agents == [{"agent": "taro"}, {"agent": "hanako"}]


async def test_the_history_says_why_and_until_when(store: Store, clock: HandClock) -> None:
    """Words that a program can take apart again."""
    promise = (await make(store, wanted("call-1"))).promise
    until = NOON + timedelta(hours=24)
    postponed = await store.promises.advance(promise.id, Postponed(until, PostponeReason.OVER_CAP))
    assert (postponed.not_before, postponed.attempts_used, postponed.dials) == (until, 0, 0)
    clock.turn(24 * 3600)
    opened = await store.promises.open_attempt(postponed, attempt_for(postponed))
    assert isinstance(opened, Promise)
    await store.promises.advance(promise.id, AttemptEnded(Outcome.POSTPONED, later_s=1800))
    await store.promises.advance(promise.id, Cancelled(CancelReason.ADMIN))
    assert await details(store) == ["call-1", f"over_cap {until.isoformat()}", "attempt-1", "postponed 1800", "admin"]
