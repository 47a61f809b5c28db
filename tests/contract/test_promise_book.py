from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import StatementError

from controller.domain.lifecycle import (
    AttemptEnded,
    Cancelled,
    DeadlinePassed,
)
from controller.domain.outcome import Outcome
from controller.domain.promise import Promise, PromiseState
from controller.ports.promises import StoreUnavailableError
from tests.contract.store_under_test import (
    NOON,
    NUMBER,
    OTHER_NUMBER,
    HandClock,
    attempt_for,
    dialling,
    everything,
    make,
    rows,
    store_at,
    wanted,
)

if TYPE_CHECKING:
    from controller.store import Store


async def test_a_new_promise_waits_at_the_callers_place_until_its_queues_lifetime_is_over(store: Store) -> None:
    """The place is when the caller arrived; the lifetime counts from when the promise can first be kept."""
    made = await make(store, wanted())
    assert made.is_new
    assert made.promise == Promise(
        id="promise-1",
        queue="sales",
        number=NUMBER,
        language="ja",
        since=NOON - timedelta(minutes=5),
        not_before=NOON,
        expires_at=NOON + timedelta(hours=1),
    )


async def test_a_promise_for_when_the_queue_opens_has_its_whole_lifetime_from_then_on(store: Store) -> None:
    """Or one that is made on a Friday night would be over before Monday morning."""
    monday = NOON + timedelta(days=3)
    made = await make(store, wanted(not_before=monday))
    assert (made.promise.not_before, made.promise.expires_at) == (monday, monday + timedelta(hours=1))
    assert made.promise.since == NOON - timedelta(minutes=5)


async def test_a_promise_is_read_as_it_was_written(store: Store) -> None:
    """To the microsecond, in UTC, whatever zone it was given in."""
    tokyo = timezone(timedelta(hours=9))
    since = datetime(2030, 5, 6, 11, 55, 0, 999999, tzinfo=tokyo)
    made = await make(store, wanted(since=since))
    read = await store.promises.get("promise-1")
    assert read == made.promise
    assert read.since.tzinfo is UTC
    assert read.since == since


async def test_a_time_without_a_zone_is_refused_and_nothing_is_written(store: Store) -> None:
    """A naive time means another instant on every machine."""
    with pytest.raises(StatementError, match="has no time zone"):
        await make(store, wanted(since=datetime(2030, 5, 6, 12, 0)))  # noqa: DTZ001 - the fault under test
    assert await store.promises.waiting() == []


async def test_a_number_may_hold_one_promise_in_each_queue(store: Store) -> None:
    """Two matters, two promises."""
    await make(store, wanted("call-1", queue="sales"))
    other = await make(store, wanted("call-2", queue="support"))
    assert other.is_new
    assert len(await store.promises.waiting()) == 2


async def test_the_same_call_gets_the_same_promise_even_after_it_was_settled(store: Store) -> None:
    """A controller that restarts in the middle of the goodbye may ask again; the customer is not called twice."""
    made = await make(store, wanted())
    cancelled = await store.promises.advance(made.promise.id, Cancelled())
    again = await make(store, wanted())
    assert again.promise == cancelled
    assert not again.is_new


async def test_a_number_whose_promise_was_settled_can_get_another_one(store: Store) -> None:
    """Only open promises count."""
    made = await make(store, wanted("call-1"))
    await store.promises.advance(made.promise.id, Cancelled())
    assert (await make(store, wanted("call-2"))).is_new


async def test_fifty_requests_at_once_for_one_number_give_one_promise(store: Store) -> None:
    """Fifty calls, one number."""
    made = await asyncio.gather(*(make(store, wanted(f"call-{n}")) for n in range(50)))
    assert sum(one.is_new for one in made) == 1
    assert len({one.promise.id for one in made}) == 1
    assert len(await rows(store, "SELECT id FROM promises")) == 1


async def test_fifty_requests_at_once_for_fifty_numbers_give_fifty_promises(store: Store) -> None:
    """No request is lost in the crowd."""
    requests = (wanted(f"call-{n}", number=f"+8190123456{n:02}") for n in range(50))
    made = await asyncio.gather(*(make(store, request) for request in requests))
    assert all(one.is_new for one in made)
    assert {p.id for p in await store.promises.waiting()} == {one.promise.id for one in made}


async def test_the_promise_of_a_call_is_found_by_the_call(store: Store) -> None:
    """And a call without one has none."""
    made = await make(store, wanted("call-1"))
    assert await store.promises.made_on_call("call-1") == made.promise
    assert await store.promises.made_on_call("call-2") is None


async def test_a_promise_that_does_not_exist_is_a_lookup_error(store: Store) -> None:
    """For reading and for moving."""
    with pytest.raises(LookupError, match="promise-404"):
        await store.promises.get("promise-404")
    with pytest.raises(LookupError, match="promise-404"):
        await store.promises.advance("promise-404", Cancelled())


async def test_the_waiting_promises_come_oldest_place_first(store: Store) -> None:
    """By the caller's arrival, not by when the promise was made; those being dialled are not among them."""
    for n, minutes_ago in enumerate((1, 30, 10)):
        number = f"+81901234567{n}"
        await make(store, wanted(f"call-{n}", number=number, since=NOON - timedelta(minutes=minutes_ago)))
    await dialling(store, "call-9", since=NOON - timedelta(minutes=20))
    assert [p.id for p in await store.promises.waiting()] == ["promise-2", "promise-3", "promise-1"]


async def test_a_promise_of_a_queue_that_is_no_longer_configured_still_ends(store: Store) -> None:
    """By the default policy: no promise stays open because of a settings file."""
    promise = (await make(store, wanted(queue="closed-down"))).promise
    assert promise.expires_at == NOON + timedelta(days=1)
    assert (await store.promises.advance(promise.id, DeadlinePassed())).state is PromiseState.EXPIRED


async def test_everything_is_there_after_the_store_was_closed_and_opened(url: str, clock: HandClock) -> None:
    """Also the open attempt, which recovery looks for."""
    async with store_at(url, clock) as store:
        await make(store, wanted("call-1", number=OTHER_NUMBER))
        await dialling(store, "call-2")
        before = await everything(store), await store.promises.open_attempts()
    async with store_at(url, clock) as store:
        assert (await everything(store), await store.promises.open_attempts()) == before


async def test_a_listener_hears_of_each_change_when_it_is_committed(url: str, store: Store) -> None:
    """It sees the change in the database from another store, and is not told of what changed nothing."""
    heard: list[Promise] = []
    store.changed.append(heard.append)
    made = await make(store, wanted("call-1"))
    assert heard == [made.promise]
    async with store_at(url, HandClock()) as other:
        assert await other.promises.waiting() == heard
    await make(store, wanted("call-1"))
    assert len(heard) == 1
    moved = await store.promises.open_attempt(made.promise, attempt_for(made.promise))
    await store.promises.open_attempt(made.promise, attempt_for(made.promise, "a2"))
    ended = await store.promises.advance(made.promise.id, AttemptEnded(Outcome.BUSY))
    assert heard[1:] == [moved, ended]


async def test_the_sms_listener_is_called_only_when_an_sms_was_added(store: Store) -> None:
    """Busy owes none; a second "not reached" is the same SMS."""
    calls: list[str] = []
    store.sms_queued.append(lambda: calls.append("queued"))
    outcomes = (Outcome.BUSY, Outcome.CONGESTION, Outcome.NO_ANSWER)
    waiting = (await make(store, wanted())).promise
    for n, outcome in enumerate(outcomes):
        assert calls == []
        assert isinstance(await store.promises.open_attempt(waiting, attempt_for(waiting, f"a{n}")), Promise)
        waiting = await store.promises.advance(waiting.id, AttemptEnded(outcome))
    assert calls == ["queued"]


async def test_a_listener_that_fails_does_not_make_a_promise_look_unmade(store: Store) -> None:
    """The caller is told the truth: it is booked."""

    def fail(_promise: Promise) -> None:
        raise RuntimeError("a mistake in a listener")

    store.changed.append(fail)
    made = await make(store, wanted())
    assert await store.promises.waiting() == [made.promise]


class Meddler:
    """Changes a promise's version in front of each of our next `times` updates, as another controller could."""

    def __init__(self, store: Store, times: int) -> None:
        self._left = times
        event.listen(store.database.sync_engine, "before_cursor_execute", self._meddle)

    def _meddle(self, connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.startswith("UPDATE promises SET") and "meddled" not in statement and self._left:
            self._left -= 1
            connection.execute(text("UPDATE promises SET version = version + 100 /* meddled */"))


async def test_an_event_that_meets_a_changed_version_is_applied_to_the_promise_as_it_then_is(store: Store) -> None:
    """It is read again and applied again, once."""
    promise = (await make(store, wanted())).promise
    Meddler(store, times=3)
    cancelled = await store.promises.advance(promise.id, Cancelled())
    assert cancelled.state is PromiseState.CANCELLED
    assert cancelled.version == 1
    assert len(await rows(store, "SELECT seq FROM promise_events")) == 2


async def test_a_promise_that_others_never_stop_changing_is_reported_and_left_alone(store: Store) -> None:
    """It does not try for ever."""
    promise = (await make(store, wanted())).promise
    before = await everything(store)
    Meddler(store, times=1000)
    with pytest.raises(StoreUnavailableError, match="changed by others 10 times"):
        await store.promises.advance(promise.id, Cancelled())
    assert await everything(store) == before
