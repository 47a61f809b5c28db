"""Days of a call centre as facts, for the tests of the figures: one call at a time, or by chance."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from controller.domain.agents import AgentState
from controller.domain.call_ending import Ending
from controller.domain.effects import SmsTemplate
from controller.domain.fairness import Turn
from controller.domain.figure_facts import (
    AgentSpan,
    AttemptFact,
    CallFact,
    Facts,
    PromiseFact,
    Quote,
    SmsFact,
    TalkFact,
)
from controller.domain.figures import by_interval, figures
from controller.domain.figures_so_far import ALL, SoFar
from controller.domain.intervals import Interval
from controller.domain.line import WaiterKind
from controller.domain.outcome import Outcome
from controller.domain.promise import PromiseState
from controller.domain.sms import SmsStatus

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from controller.domain.figure_facts import Counting

NINE = datetime(2026, 11, 24, 0, 0, tzinfo=UTC)
"""Nine in the morning in Tokyo."""
DAY = Interval(NINE, NINE + timedelta(hours=12))


def at(seconds: float) -> datetime:
    """Return the instant so many seconds after nine."""
    return NINE + timedelta(seconds=seconds)


def call(
    arrived_s: float = 0,
    *,
    joined_s: float | None = 0,
    answered_s: float | None = None,
    ended_s: float | None = None,
    ending: Ending | None = None,
    **more: Any,
) -> CallFact:
    """Return a call to "sales"; the times but the first count from its arrival."""

    def since(seconds: float | None) -> datetime | None:
        return None if seconds is None else at(arrived_s + seconds)

    if ending is None and ended_s is not None:
        ending = Ending.ABANDONED if answered_s is None else Ending.SERVED
    facts: dict[str, Any] = {"id": f"call-{arrived_s}", "queue": "sales", **more}
    return CallFact(
        arrived_at=at(arrived_s),
        joined_at=since(joined_s),
        answered_at=since(answered_s),
        ended_at=since(ended_s),
        ending=ending,
        **facts,
    )


def answered(arrived_s: float = 0, *, after_s: float, **more: Any) -> CallFact:
    """Return a call that an agent took so long after it came, for a minute."""
    return call(arrived_s, answered_s=after_s, ended_s=after_s + 60, **more)


def gave_up(arrived_s: float = 0, *, after_s: float, **more: Any) -> CallFact:
    """Return a call whose caller hung up so long after it came."""
    return call(arrived_s, ended_s=after_s, **more)


_seconds = st.integers(-3600, 13 * 3600).map(float)
_lengths = st.integers(0, 1500).map(float)
_queues = st.sampled_from(["sales", "support"])
_agents = st.sampled_from(["alice", "bob"])
_maybe = st.booleans()


@st.composite
def calls(draw: st.DrawFn) -> CallFact:
    """Return a call of whatever kind."""
    joined_s = draw(st.integers(0, 60))
    waits_s, fate = joined_s + draw(_lengths), draw(st.sampled_from(["answered", "goes on", *Ending]))
    one = call(draw(_seconds), joined_s=joined_s, id=draw(st.uuids()).hex, was_offered_callback=draw(_maybe))
    if fate == "answered":
        one = answered((one.arrived_at - NINE).total_seconds(), after_s=waits_s, joined_s=joined_s, id=one.id)
    elif fate != "goes on":
        ended_at = one.arrived_at + timedelta(seconds=waits_s)
        one = replace(one, ending=Ending(fate), ended_at=ended_at)
    promise_id = draw(st.sampled_from(["p0", "p1", "p2", ""])) if one.ending is Ending.PROMISED else ""
    quote = Quote(one.arrived_at, 60, 60 + draw(_lengths)) if draw(_maybe) else None
    queue = draw(st.sampled_from(["sales", "support", "sales", "support", None]))
    if queue is None:
        one = replace(one, joined_at=None, answered_at=None)
    return replace(one, queue=queue, promise_id=promise_id, quote=quote, was_closed=draw(st.integers(0, 9)) == 0)


@st.composite
def talks(draw: st.DrawFn) -> TalkFact:
    """Return a talk; it, or its wrap-up, may go on."""
    began_at = at(draw(_seconds))
    ended_at = draw(st.one_of(st.none(), _lengths.map(lambda s: began_at + timedelta(seconds=s))))
    wrapped_up_at = (
        None
        if ended_at is None
        else draw(st.one_of(st.none(), _lengths.map(lambda s: ended_at + timedelta(seconds=s))))
    )
    return TalkFact(
        draw(_agents), draw(_queues), began_at, ended_at, wrapped_up_at, draw(st.sampled_from([*WaiterKind]))
    )


@st.composite
def promises(draw: st.DrawFn, promise_id: str) -> PromiseFact:
    """Return a promise."""
    arrived_s = draw(_seconds)
    state = draw(st.sampled_from([*PromiseState]))
    talked = state is PromiseState.FULFILLED
    return PromiseFact(
        promise_id,
        draw(_queues),
        at(arrived_s),
        state,
        due_by=draw(st.one_of(st.none(), _lengths.map(lambda s: at(arrived_s + s)))),
        talked_at=at(arrived_s + draw(_lengths)) if talked else None,
        rang_in=talked and draw(_maybe),
    )


@st.composite
def turns(draw: st.DrawFn, queue: st.SearchStrategy[str] = _queues) -> Turn:
    """Return a turn of the line; many at the same instants."""
    since_s = draw(st.integers(0, 30)) * 60
    due_s = since_s + draw(st.integers(0, 5)) * 60
    at_s = due_s + draw(st.integers(0, 30)) * 60
    kind = draw(st.sampled_from([*WaiterKind]))
    return Turn(draw(st.uuids()).hex, draw(queue), kind, at(since_s), at(due_s), at(at_s))


@st.composite
def spans(draw: st.DrawFn) -> AgentSpan:
    """Return a time of an agent; those of one may overlap, which no sum minds."""
    since_s = draw(_seconds)
    until = draw(st.one_of(st.none(), _lengths.map(lambda s: at(since_s + s))))
    queues = draw(st.frozensets(_queues))
    return AgentSpan(draw(_agents), draw(st.sampled_from([*AgentState])), at(since_s), until, queues)


_promise_ids = st.sampled_from(["p0", "p1", "p2", "p3", "of nobody"])
attempts = st.builds(AttemptFact, _promise_ids, _seconds.map(at), st.one_of(st.none(), st.sampled_from([*Outcome])))
texts = st.builds(
    SmsFact,
    _promise_ids,
    st.sampled_from([*SmsTemplate]),
    st.sampled_from([*SmsStatus]),
    _seconds.map(at),
    st.one_of(st.none(), _seconds.map(at)),
)


@st.composite
def facts(draw: st.DrawFn) -> Facts:
    """Return a day; it may not be over."""
    return Facts(
        as_of=at(draw(_seconds)),
        calls=tuple(draw(st.lists(calls(), max_size=12))),
        talks=tuple(draw(st.lists(talks(), max_size=6))),
        promises=tuple(draw(promises(f"p{nth}")) for nth in range(draw(st.integers(0, 4)))),
        attempts=tuple(draw(st.lists(attempts, max_size=8))),
        texts=tuple(draw(st.lists(texts, max_size=8))),
        spans=tuple(draw(st.lists(spans(), max_size=6))),
        turns=tuple(draw(st.lists(turns(), max_size=6))),
    )


def reckoned_at_once(day: Facts, whole: Interval, intervals: Sequence[Interval], ways: Mapping[str, Counting]) -> SoFar:
    """Return a day's figures as a full reading has them."""
    shares = {name: (day if name == ALL else day.of_queue(name), way) for name, way in ways.items()}
    return SoFar(
        {name: figures(share, whole, way) for name, (share, way) in shares.items()},
        {name: by_interval(share, intervals, way) for name, (share, way) in shares.items()},
    )
