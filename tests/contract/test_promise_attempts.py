from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from controller.domain.lifecycle import (
    AttemptEnded,
    AttemptStarted,
    Cancelled,
    CustomerConnected,
    DeadlinePassed,
    RefusedTransitionError,
)
from controller.domain.outcome import Outcome
from controller.domain.promise import Promise, PromiseState
from controller.ports.promises import NotClaimed, NotClaimedReason, OpenAttempt
from tests.contract.store_under_test import (
    NUMBER,
    OTHER_NUMBER,
    HandClock,
    attempt_for,
    dialling,
    everything,
    make,
    rows,
    wanted,
)

if TYPE_CHECKING:
    from controller.store import Store

MOVED = NotClaimed(NotClaimedReason.MOVED)
NUMBER_BUSY = NotClaimed(NotClaimedReason.NUMBER_BUSY)


async def test_opening_an_attempt_commits_it_and_moves_the_promise(store: Store) -> None:
    """Both can be read before anything is dialled."""
    made = await make(store, wanted())
    attempt = attempt_for(made.promise)
    moved = await store.promises.open_attempt(made.promise, attempt)
    assert moved == replace(made.promise, state=PromiseState.DIALLING, dials=1, version=1)
    assert await store.promises.open_attempts() == [OpenAttempt(moved, attempt)]


async def test_an_attempt_for_a_promise_that_somebody_else_moved_is_not_opened(store: Store) -> None:
    """Whether it is settled, or was tried and waits again."""
    made = await make(store, wanted())
    assert isinstance(await store.promises.open_attempt(made.promise, attempt_for(made.promise, "a1")), Promise)
    await store.promises.advance(made.promise.id, AttemptEnded(Outcome.BUSY))
    before = await everything(store)
    assert await store.promises.open_attempt(made.promise, attempt_for(made.promise, "a2")) == MOVED
    assert await everything(store) == before


async def test_an_attempt_for_a_number_that_is_being_called_is_not_opened(store: Store) -> None:
    """Across queues; the promise waits on, untouched."""
    await dialling(store, "call-1", "a1", queue="sales")
    other = (await make(store, wanted("call-2", queue="support"))).promise
    before = await everything(store)
    assert await store.promises.open_attempt(other, attempt_for(other, "a2")) == NUMBER_BUSY
    assert await everything(store) == before


async def test_a_number_can_be_called_again_once_the_call_to_it_is_over(store: Store) -> None:
    """The attempt that ended stands in nobody's way."""
    first = await dialling(store, "call-1", "a1", queue="sales")
    await store.promises.advance(first.id, AttemptEnded(Outcome.TALKED))
    await dialling(store, "call-2", "a2", queue="support")


async def test_an_attempt_id_is_never_used_twice(store: Store) -> None:
    """The channel id comes from it."""
    first = await dialling(store, "call-1", "a1")
    waiting = await store.promises.advance(first.id, AttemptEnded(Outcome.BUSY))
    assert await store.promises.open_attempt(waiting, attempt_for(waiting, "a1")) == MOVED
    assert (await store.promises.get(first.id)) == waiting


async def test_of_twenty_dialers_one_gets_the_promise(store: Store) -> None:
    """Compare and set."""
    promise = (await make(store, wanted())).promise
    opened = await asyncio.gather(
        *(store.promises.open_attempt(promise, attempt_for(promise, f"a{n}")) for n in range(20))
    )
    assert sum(isinstance(one, Promise) for one in opened) == 1
    assert opened.count(MOVED) == 19
    assert len(await rows(store, "SELECT id FROM attempts")) == 1


async def test_an_attempt_for_another_promise_or_number_is_refused(store: Store) -> None:
    """That is a mistake of ours, and must not reach a phone."""
    promise = (await make(store, wanted())).promise
    with pytest.raises(ValueError, match="is not for promise"):
        await store.promises.open_attempt(promise, replace(attempt_for(promise), number=OTHER_NUMBER))
    with pytest.raises(ValueError, match="is not for promise"):
        await store.promises.open_attempt(promise, replace(attempt_for(promise), promise_id="promise-2"))


async def test_an_attempt_is_opened_for_a_waiting_promise_only(store: Store) -> None:
    """The table of the domain is asked first."""
    moved = await dialling(store)
    with pytest.raises(RefusedTransitionError):
        await store.promises.open_attempt(moved, attempt_for(moved, "a2"))


async def test_an_attempt_is_not_started_without_its_row(store: Store) -> None:
    """There is one way to start one."""
    promise = (await make(store, wanted())).promise
    with pytest.raises(TypeError, match="open_attempt"):
        await store.promises.advance(promise.id, AttemptStarted())


async def test_an_attempt_that_ends_is_closed_and_the_promise_waits_for_its_policys_gap(
    store: Store, clock: HandClock
) -> None:
    """The queue's own gap for busy is 90 seconds."""
    promise = await dialling(store)
    clock.turn(30)
    waiting = await store.promises.advance(promise.id, AttemptEnded(Outcome.BUSY))
    assert waiting.state is PromiseState.WAITING
    assert waiting.not_before == clock.now() + timedelta(seconds=90)
    assert waiting == await store.promises.get(promise.id)
    assert await store.promises.open_attempts() == []
    (row,) = await rows(store, "SELECT outcome, ended_at FROM attempts")
    assert row["outcome"] == "busy"
    assert row["ended_at"] is not None


async def test_an_attempt_keeps_its_outcome_when_the_next_one_ends(store: Store) -> None:
    """Each has exactly one."""
    waiting = await store.promises.advance((await dialling(store, attempt_id="a1")).id, AttemptEnded(Outcome.BUSY))
    await store.promises.open_attempt(waiting, attempt_for(waiting, "a2"))
    await store.promises.advance(waiting.id, AttemptEnded(Outcome.NO_ANSWER))
    outcomes = await rows(store, "SELECT id, outcome FROM attempts ORDER BY id")
    assert outcomes == [{"id": "a1", "outcome": "busy"}, {"id": "a2", "outcome": "no_answer"}]


async def test_a_talk_whose_end_was_not_seen_is_recorded_as_a_talk(store: Store) -> None:
    """The attempt has the promise's view; the history keeps what was seen."""
    promise = await dialling(store)
    await store.promises.advance(promise.id, CustomerConnected())
    done = await store.promises.advance(promise.id, AttemptEnded(Outcome.UNKNOWN))
    assert done.state is PromiseState.FULFILLED
    assert [row["outcome"] for row in await rows(store, "SELECT outcome FROM attempts")] == ["talked"]
    history = await rows(store, "SELECT detail FROM promise_events ORDER BY seq DESC LIMIT 1")
    assert history == [{"detail": "unknown"}]


async def test_the_sms_that_an_outcome_owes_is_queued_with_it_and_once(store: Store) -> None:
    """One when the customer was not reached, another when it was the last attempt."""
    promise = await dialling(store, attempt_id="a1")
    waiting = await store.promises.advance(promise.id, AttemptEnded(Outcome.NO_ANSWER))
    await store.promises.open_attempt(waiting, attempt_for(waiting, "a2"))
    spent = await store.promises.advance(promise.id, AttemptEnded(Outcome.NO_ANSWER))
    assert spent.state is PromiseState.EXHAUSTED
    outbox = await rows(store, "SELECT key, number, template, language, queue, status FROM sms_outbox")
    assert outbox == [
        {
            "key": f"{promise.id}:{template}",
            "number": NUMBER,
            "template": template,
            "language": "ja",
            "queue": "sales",
            "status": "queued",
        }
        for template in ("not_reached", "gave_up")
    ]


async def test_a_refused_event_changes_nothing(store: Store) -> None:
    """Not the promise, not the attempt, not the history, not the outbox."""
    promise = await dialling(store)
    before = await everything(store)
    with pytest.raises(RefusedTransitionError):
        await store.promises.advance(promise.id, DeadlinePassed())
    assert await everything(store) == before


async def test_of_twenty_cancellations_at_once_one_counts(store: Store) -> None:
    """The others meet a promise that is cancelled already."""
    promise = (await make(store, wanted())).promise
    results = await asyncio.gather(
        *(store.promises.advance(promise.id, Cancelled()) for _ in range(20)), return_exceptions=True
    )
    assert sum(isinstance(result, Promise) for result in results) == 1
    assert sum(isinstance(result, RefusedTransitionError) for result in results) == 19
    assert (await store.promises.get(promise.id)).version == 1


async def test_the_history_tells_the_whole_life_without_a_gap(store: Store) -> None:
    """One entry for each version, each beginning where the one before ended."""
    promise = await dialling(store, "call-7", "a1")
    waiting = await store.promises.advance(promise.id, AttemptEnded(Outcome.BUSY))
    await store.promises.open_attempt(waiting, attempt_for(waiting, "a2"))
    await store.promises.advance(promise.id, CustomerConnected())
    await store.promises.advance(promise.id, AttemptEnded(Outcome.TALKED))
    columns = "seq, event, from_state, to_state, detail"
    history = await rows(store, f"SELECT {columns} FROM promise_events ORDER BY seq")  # noqa: S608 - the names above
    assert [tuple(row.values()) for row in history] == [
        (0, "Made", None, "waiting", "call-7"),
        (1, "AttemptStarted", "waiting", "dialling", "a1"),
        (2, "AttemptEnded", "dialling", "waiting", "busy"),
        (3, "AttemptStarted", "waiting", "dialling", "a2"),
        (4, "CustomerConnected", "dialling", "connected", ""),
        (5, "AttemptEnded", "connected", "fulfilled", "talked"),
    ]
