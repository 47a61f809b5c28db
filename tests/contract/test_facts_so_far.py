"""A day that is read while it goes on has, at each look, the figures that a full reading has: on each engine."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from controller.domain.agents import AgentState
from controller.domain.call_ending import Ending
from controller.domain.evidence import Evidence
from controller.domain.figure_facts import Counting
from controller.domain.figures_so_far import ALL, DayInFigures
from controller.domain.intervals import Interval, Length, split
from controller.domain.lifecycle import AttemptEnded, CustomerRangIn
from controller.domain.line import Decision, WaiterKind
from controller.domain.outcome import Outcome
from controller.ports.agent_spans import SpanRecord
from tests.contract.played_hours import PlayedHours
from tests.contract.store_under_test import NOON, HandClock, dialling, make, wanted
from tests.domain.figure_days import reckoned_at_once

if TYPE_CHECKING:
    from datetime import datetime

    from controller.domain.figure_facts import FactsSince
    from controller.store import Store

HOURS = Interval(NOON + timedelta(minutes=10), NOON + timedelta(hours=2))
QUARTERS = split(HOURS, ZoneInfo("Asia/Tokyo"), Length.QUARTER_HOUR)
WAYS = {ALL: Counting(), "sales": Counting(answer_within_s=60, short_abandon_s=30), "support": Counting()}
STEPS = 300


class Follower:
    """Reads the hours again and again, and holds each look against a full reading."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._so_far = store.facts.so_far(HOURS.since, HOURS.until)
        self._sums = DayInFigures(HOURS, QUARTERS, WAYS)

    async def look(self, as_of: datetime) -> FactsSince:
        """Look once; return what was told."""
        news = await self._so_far.read(as_of)
        full = await self._store.facts.facts(HOURS.since, HOURS.until, as_of=as_of)
        assert self._sums.take(news) == reckoned_at_once(full, HOURS, QUARTERS, WAYS)
        return news


@pytest.mark.parametrize("seed", range(3))
async def test_each_look_at_hours_that_go_on_has_the_figures_of_a_full_reading(
    store: Store, clock: HandClock, seed: int
) -> None:
    """Callers, callbacks, SMS and agents by chance; most looks tell only of what is new or goes on."""
    hours, follower = PlayedHours(store, clock, seed), Follower(store)
    settled = anew = looks = 0
    for nth in range(STEPS):
        await hours.step()
        if nth % 4:
            continue
        news = await follower.look(clock.now())
        looks, anew = looks + 1, anew + news.is_anew
        settled += 0 if news.is_anew else len(news.settled.calls)
    assert clock.now() > HOURS.until
    assert settled > 15
    assert anew < looks / 3


async def arrives(store: Store, call_id: str, arrived_at: datetime) -> None:
    """Record a call that was abandoned at once."""
    await store.calls.arrived(call_id, dialled="0312345678", number=None, arrived_at=arrived_at)
    await store.calls.ended(call_id, ending=Ending.ABANDONED, ended_at=arrived_at)


async def test_what_is_over_is_told_once(store: Store, clock: HandClock) -> None:
    """While it may still change it is told again; then no more."""
    follower = Follower(store)
    clock.turn(1200)
    await arrives(store, "call-1", clock.now())
    span = SpanRecord("hanako", AgentState.AVAILABLE, clock.now(), clock.now() + timedelta(seconds=1))
    await store.agent_spans.record([span])
    seen = []
    for _ in range(4):
        news = await follower.look(clock.now())
        seen.append([(len(facts.calls), len(facts.spans), news.is_anew) for facts in (news.settled, news.going_on)])
        clock.turn(40)
    assert seen == [
        [(0, 0, True), (1, 1, True)],
        [(0, 0, False), (1, 1, False)],
        [(1, 1, False), (0, 0, False)],
        [(0, 0, False), (0, 0, False)],
    ]


async def test_a_call_that_turns_up_where_all_was_read_has_all_read_anew(store: Store, clock: HandClock) -> None:
    """It had been kept on an Asterisk while no controller was there."""
    follower = Follower(store)
    clock.turn(1200)
    await follower.look(clock.now())
    await arrives(store, "call-1", clock.now() - timedelta(minutes=5))
    assert (await follower.look(clock.now())).is_anew
    assert not (await follower.look(clock.now())).is_anew


async def test_a_span_that_turns_up_and_began_before_the_time_has_all_read_anew(store: Store, clock: HandClock) -> None:
    """A controller had kept it while the database was away; one that ended before is of another time."""
    follower = Follower(store)
    clock.turn(1200)
    await follower.look(clock.now())
    await store.agent_spans.record([SpanRecord("taro", AgentState.PAUSED, NOON, NOON + timedelta(minutes=9))])
    assert not (await follower.look(clock.now())).is_anew
    await store.agent_spans.record([SpanRecord("hanako", AgentState.PAUSED, NOON, clock.now())])
    assert (await follower.look(clock.now())).is_anew
    assert not (await follower.look(clock.now())).is_anew


@pytest.mark.parametrize("by_s", [-1, 3600])
async def test_a_clock_that_is_set_back_and_an_hour_that_has_passed_have_all_read_anew(
    store: Store, clock: HandClock, by_s: int
) -> None:
    """And whatever is not as it should be is right again within the hour."""
    follower = Follower(store)
    clock.turn(1200)
    await arrives(store, "call-1", clock.now())
    await follower.look(clock.now())
    clock.turn(by_s)
    assert (await follower.look(clock.now())).is_anew
    clock.turn(1)
    assert not (await follower.look(clock.now())).is_anew


def decided(waiter_id: str, at: datetime, kind: WaiterKind) -> Decision:
    """Return that an agent was given to somebody for whom a promise had been made a while ago."""
    return Decision(at, "sales", waiter_id, kind, "taro", at - timedelta(minutes=9), 1, False, False, ())


async def test_the_turn_of_a_customer_who_was_called_ahead_takes_the_place_of_the_one_that_was_told(
    store: Store, clock: HandClock
) -> None:
    """And since when they were due is known when the attempt has ended."""
    follower = Follower(store)
    clock.turn(1200)
    promise = await dialling(store)
    await store.line_audit.record([decided(promise.id, clock.now(), WaiterKind.PROMISE)])
    clock.turn(200)
    assert len((await follower.look(clock.now())).turns_came) == 1
    ahead = decided("customer-attempt-1", clock.now(), WaiterKind.LIVE)
    await store.line_audit.record([ahead])
    news = await follower.look(clock.now())
    assert (len(news.turns_came), len(news.turns_gone)) == (1, 1)
    clock.turn(200)
    assert not (await follower.look(clock.now())).turns_came
    seen = Evidence(answered_at=ahead.at, confirmed_at=ahead.at - timedelta(seconds=8))
    await store.promises.advance(promise.id, AttemptEnded(Outcome.TALKED, evidence=seen))
    (turn,) = (await follower.look(clock.now())).turns_came
    assert turn.due_at == seen.confirmed_at


async def test_a_talk_that_went_on_over_a_restart_has_its_real_end_when_it_comes(
    store: Store, clock: HandClock
) -> None:
    """Until its call is over, the end that was guessed is no end."""
    follower = Follower(store)
    clock.turn(1200)
    await store.calls.arrived("call-1", dialled="0312345678", number=None, arrived_at=clock.now())
    await store.calls.joined("call-1", queue="sales", joined_at=clock.now())
    talk = talking(clock.now(), "call-1", WaiterKind.LIVE)
    await store.agent_spans.record([talk])
    clock.turn(100)
    await store.agent_spans.close_left_open("asterisk", before=clock.now())
    paused = SpanRecord("hanako", AgentState.PAUSED, talk.since, talk.since)
    await store.agent_spans.record([paused])
    for _ in range(2):
        clock.turn(100)
        assert not (await follower.look(clock.now())).settled.talks
    await store.calls.ended("call-1", ending=Ending.SERVED, ended_at=clock.now())
    await store.agent_spans.record([replace(talk, until=clock.now(), is_new=False)])
    await store.agent_spans.record([SpanRecord("hanako", AgentState.AVAILABLE, clock.now())])
    assert not (await follower.look(clock.now())).settled.talks
    clock.turn(100)
    (settled,) = (await follower.look(clock.now())).settled.talks
    assert settled.ended_at == clock.now() - timedelta(seconds=100)


async def test_a_talk_after_which_nothing_is_known_of_its_agent_may_have_a_wrap_up(
    store: Store, clock: HandClock
) -> None:
    """It is written when the database is back."""
    follower = Follower(store)
    clock.turn(1200)
    talk = replace(talking(clock.now(), "unknown", WaiterKind.LIVE), until=clock.now() + timedelta(seconds=50))
    await store.agent_spans.record([talk])
    clock.turn(300)
    assert not (await follower.look(clock.now())).settled.talks
    ended_at = clock.now() - timedelta(seconds=250)
    wrap_up = replace(talk, state=AgentState.WRAP_UP, since=ended_at, until=ended_at + timedelta(seconds=20))
    await store.agent_spans.record([wrap_up])
    (settled,) = (await follower.look(clock.now())).settled.talks
    assert settled.wrapped_up_at == wrap_up.until


async def test_a_talk_on_a_callback_may_be_known_from_how_its_attempt_ends(store: Store, clock: HandClock) -> None:
    """The two were joined while the database was away."""
    follower = Follower(store)
    clock.turn(1200)
    promise = await dialling(store)
    talk = replace(talking(clock.now(), promise.id, WaiterKind.PROMISE), until=clock.now() + timedelta(seconds=50))
    await store.agent_spans.record([talk, SpanRecord("hanako", AgentState.AVAILABLE, clock.now())])
    await store.agent_spans.record([SpanRecord("hanako", AgentState.AVAILABLE, talk.since + timedelta(seconds=50))])
    clock.turn(300)
    assert not (await follower.look(clock.now())).going_on.talks
    seen = Evidence(answered_at=talk.since, confirmed_at=talk.since + timedelta(seconds=9))
    await store.promises.advance(promise.id, AttemptEnded(Outcome.TALKED, evidence=seen))
    (settled,) = (await follower.look(clock.now())).settled.talks
    assert settled.began_at == seen.confirmed_at


async def test_when_somebody_rang_in_and_was_answered_may_be_written_after_that_the_promise_is_kept(
    store: Store, clock: HandClock
) -> None:
    """They talked from the answer on."""
    follower = Follower(store)
    clock.turn(1200)
    await arrives(store, "call-1", clock.now())
    made = await make(store, wanted("call-1"))
    clock.turn(300)
    await store.calls.arrived("call-2", dialled="0312345678", number=None, arrived_at=clock.now())
    answered_at = clock.now()
    clock.turn(3)
    await store.promises.advance(made.promise.id, CustomerRangIn("call-2"))
    assert not (await follower.look(clock.now())).settled.promises
    await store.calls.answered("call-2", agent="hanako", answered_at=answered_at)
    clock.turn(100)
    (settled,) = (await follower.look(clock.now())).settled.promises
    assert settled.talked_at == answered_at


def talking(since: datetime, waiter_id: str, kind: WaiterKind) -> SpanRecord:
    """Return hanako's time on the phone, without an end."""
    return SpanRecord("hanako", AgentState.ON_CALL, since, queue="sales", waiter_id=waiter_id, kind=kind)
