"""平均処理時間, 占有率, 稼働率, 呼量."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.domain.agents import AgentState
from controller.domain.figure_facts import AgentSpan, TalkFact
from controller.domain.handling_figures import carried, erlangs, handling_figures, time_figures
from controller.domain.intervals import NO_TIME, Interval
from controller.domain.line import WaiterKind
from tests.domain.figure_days import DAY, at, spans, talks

QUARTER = Interval(at(0), at(900))


def talk(began_s: float, ended_s: float | None = None, wrapped_up_s: float | None = None) -> TalkFact:
    """Return a talk of Alice's."""
    ended_at, wrapped_up_at = (None if each is None else at(each) for each in (ended_s, wrapped_up_s))
    return TalkFact("alice", "sales", at(began_s), ended_at, wrapped_up_at)


def span(state: AgentState, since_s: float, until_s: float | None) -> AgentSpan:
    """Return a time of Alice's."""
    return AgentSpan("alice", state, at(since_s), None if until_s is None else at(until_s))


def test_handle_time_is_talk_and_wrap_up() -> None:
    """Each with its own mean; what goes on is in neither yet."""
    day = [talk(0, 100, 130), talk(200, 400, 450), talk(500, 800), talk(900)]
    found = handling_figures([*day, replace(talk(0, 200, 240), kind=WaiterKind.PROMISE)])
    assert (found.talks, found.callbacks, found.wrap_ups) == (4, 1, 3)
    assert (found.att_s, found.acw_s, found.aht_s) == (200, 40, 240)


def test_without_a_known_wrap_up_there_is_no_handle_time() -> None:
    """Talk alone would be too short a one, and too few agents would be planned by it."""
    found = handling_figures([talk(0, 100)])
    assert (found.att_s, found.acw_s, found.aht_s) == (100, None, None)
    nothing = handling_figures([])
    assert nothing.att_s is nothing.acw_s is nothing.aht_s is None


def test_occupancy_is_of_the_time_ready_and_utilisation_of_the_time_signed_in() -> None:
    """Ten minutes: talk 3, wrap-up 1, waiting 4 in all its forms, a pause of 2; then signed out."""
    states = [
        *((AgentState.ON_CALL, 0, 180), (AgentState.WRAP_UP, 180, 240), (AgentState.AVAILABLE, 240, 400)),
        *((AgentState.RESERVED, 400, 410), (AgentState.RINGING, 410, 480), (AgentState.PAUSED, 480, 600)),
        (AgentState.SIGNED_OUT, 600, 900),
    ]
    found = time_figures([span(*each) for each in states], QUARTER, as_of=at(900))
    assert (found.handling_s, found.ready_s, found.signed_in_s) == (240, 480, 600)
    assert (found.occupancy_percent, found.utilisation_percent) == (50, 80)
    nobody = time_figures([], QUARTER, as_of=at(900))
    assert nobody.occupancy_percent is nobody.utilisation_percent is None


def test_what_goes_on_counts_up_to_now_and_what_lies_outside_does_not() -> None:
    """From before the quarter into it; and one that has not ended."""
    found = time_figures(
        [span(AgentState.AVAILABLE, -600, 300), span(AgentState.ON_CALL, 300, None)], QUARTER, as_of=at(700)
    )
    assert (found.by_state[AgentState.AVAILABLE], found.by_state[AgentState.ON_CALL]) == (300, 400)
    assert carried([talk(-60, 30, 60), talk(600), talk(-100, -50, -10)], QUARTER, as_of=at(700)).total_seconds() == 160


def test_ten_calls_of_five_minutes_in_an_hour_are_five_sixths_of_an_erlang() -> None:
    """呼量 = 呼数 x 平均利用時間 / 対象時間: the example of NTT Com Online's glossary."""
    found = erlangs(10 * 300, 3600)
    assert found == pytest.approx(0.8333, abs=1e-4)
    assert erlangs(0, 0) is None


@given(st.lists(talks()), st.lists(spans()), st.integers(-100, 50_000), st.integers(1, 43_199))
def test_time_is_shared_out_and_none_is_lost_where_a_day_is_cut(
    talked: list[TalkFact], spent: list[AgentSpan], now_s: int, cut_s: int
) -> None:
    """Both parts together are the whole."""
    parts = Interval(DAY.since, at(cut_s)), Interval(at(cut_s), DAY.until)
    now = at(now_s)
    whole = time_figures(spent, DAY, now).by_state
    halves = [time_figures(spent, part, now).by_state for part in parts]
    assert {state: sum(half[state] for half in halves) for state in AgentState} == pytest.approx(whole)
    assert sum((carried(talked, part, now) for part in parts), NO_TIME) == carried(talked, DAY, now)
    ready = time_figures(spent, DAY, now)
    for share in (ready.occupancy_percent, ready.utilisation_percent):
        assert share is None or 0 <= share <= 100
