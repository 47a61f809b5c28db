"""The figures as rows: a day by hand, the headings, and the page that explains them."""

from __future__ import annotations

import re
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from controller.domain.agents import AgentState
from controller.domain.call_ending import Ending
from controller.domain.csv_text import csv_text
from controller.domain.effects import SmsTemplate
from controller.domain.fairness import Turn
from controller.domain.figure_facts import (
    AgentSpan,
    AttemptFact,
    Counting,
    Facts,
    PromiseFact,
    Quote,
    SmsFact,
    TalkFact,
)
from controller.domain.figure_rows import (
    AGENT_COLUMNS,
    COLUMNS,
    Column,
    Language,
    Unit,
    agent_headings,
    agent_rows,
    headings,
    rows,
)
from controller.domain.figures import by_agent, figures
from controller.domain.intervals import Interval
from controller.domain.line import WaiterKind
from controller.domain.outcome import Outcome
from controller.domain.promise import PromiseState
from controller.domain.sms import SmsStatus
from tests.domain.figure_days import answered, at, call, gave_up

PLAIN = Counting()
TOKYO = ZoneInfo("Asia/Tokyo")
QUARTER = Interval(at(0), at(900))
PAGE = Path(__file__).resolve().parents[2] / "docs" / "figures.md"
ROW = re.compile(r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \|[^|]*\|$", re.MULTILINE)

CALLS = (
    answered(0, after_s=10, joined_s=4, was_offered_callback=True, quote=Quote(at(5), 0, 60)),
    answered(10, after_s=50, quote=Quote(at(10), 0, 30)),
    gave_up(20, after_s=15),
    gave_up(30, after_s=2),
    call(40, joined_s=5, ended_s=65, ending=Ending.PROMISED, promise_id="kept 0", was_offered_callback=True),
    call(50, ended_s=3, ending=Ending.INFORMED),
    call(60, ended_s=3, ending=Ending.FAILED),
    call(70),
    gave_up(80, after_s=3, was_closed=True),
    gave_up(90, after_s=3, queue=None),
    *[call(95, ended_s=3, ending=Ending.GUIDED, queue=None)] * 2,
)
TALKS = (
    TalkFact("alice", "sales", at(10), at(70), at(90)),
    TalkFact("bob", "sales", at(60), at(160), at(170)),
    TalkFact("alice", "sales", at(640), at(700), at(730), WaiterKind.PROMISE),
)
PROMISES = tuple(
    PromiseFact(
        f"{name} {nth}",
        "sales",
        at(40),
        state,
        None if due_s is None else at(due_s),
        None if talked_s is None else at(talked_s),
        rang_in=name == "late" and nth == 0,
    )
    for name, count, state, due_s, talked_s in (
        ("kept", 1, PromiseState.FULFILLED, 700, 640),
        ("late", 2, PromiseState.FULFILLED, 100, 200),
        ("broken", 3, PromiseState.EXHAUSTED, None, None),
        ("overdue", 4, PromiseState.WAITING, 800, None),
        ("open", 5, PromiseState.WAITING, None, None),
        ("cancelled", 6, PromiseState.CANCELLED, 800, None),
    )
    for nth in range(count)
)
ATTEMPTS = tuple(
    AttemptFact(promise_id, at(600 + nth), Outcome.NO_ANSWER)
    for promise_id, calls in (("kept 0", 1), ("broken 0", 3), ("broken 1", 2))
    for nth in range(calls)
)
TEXTS = (
    SmsFact("broken 0", SmsTemplate.NOT_REACHED, SmsStatus.DELIVERED, at(610), answered_at=at(620)),
    SmsFact("broken 1", SmsTemplate.GAVE_UP, SmsStatus.DELIVERED, at(610)),
    SmsFact("broken 2", SmsTemplate.EXPIRED, SmsStatus.SENT, at(610)),
)
SPANS = tuple(
    AgentSpan("alice", state, at(since_s), at(until_s), frozenset({"sales"}))
    for state, since_s, until_s in (
        *((AgentState.ON_CALL, 0, 220), (AgentState.WRAP_UP, 220, 280)),
        *((AgentState.AVAILABLE, 280, 400), (AgentState.PAUSED, 400, 600)),
    )
)
TURNS = (
    Turn("urgent", "sales", WaiterKind.LIVE, at(50), at(50), at(60)),
    Turn("first", "sales", WaiterKind.LIVE, at(0), at(0), at(120)),
    Turn("second", "sales", WaiterKind.PROMISE, at(10), at(10), at(180)),
    Turn("last", "sales", WaiterKind.LIVE, at(200), at(200), at(300)),
)
BY_HAND = {
    "incoming": 8,
    "offered": 6,
    "answered": 2,
    "abandoned": 1,
    "short_abandoned": 1,
    "promised": 1,
    "diverted": 1,
    "failed": 1,
    "waiting": 1,
    "closed": 1,
    "left_in_menu": 1,
    "self_served": 2,
    "answer_percent": 33.3,
    "abandon_percent": 16.7,
    "reached_percent": 50.0,
    "service_level_percent": 16.7,
    "lenient_service_level_percent": 20.0,
    "asa_s": 30.0,
    "mean_hold_s": 38.7,
    "mean_true_s": 220.0,
    "p90_hold_s": 60.0,
    "p90_true_s": 600.0,
    "talks": 3,
    "att_s": 73.3,
    "acw_s": 20.0,
    "aht_s": 93.3,
    "offered_erlangs": 0.62,
    "carried_erlangs": 0.31,
    "occupancy_percent": 70.0,
    "utilisation_percent": 66.7,
    "callbacks_offered": 2,
    "callbacks_taken": 1,
    "take_percent": 50.0,
    "promises": 21,
    "promises_kept": 1,
    "promises_late": 2,
    "promises_broken": 3,
    "promises_overdue": 4,
    "promises_open": 5,
    "promises_cancelled": 6,
    "rang_in": 1,
    "retried": 2,
    "calls_out": 6,
    "kept_percent": 10.0,
    "called_in_time_percent": 14.3,
    "texted": 3,
    "reached_by_sms": 2,
    "answered_sms": 1,
    "reached_by_sms_percent": 66.7,
    "ranges_known": 2,
    "ranges_held_percent": 50.0,
    "moved_percent": 75.0,
    "fairness_gained_s": 120.0,
    "fairness_lost_s": 120.0,
    "most_lost_s": 60.0,
    "mean_live_gain_s": 20.0,
    "mean_promise_gain_s": -60.0,
}


def test_a_quarter_of_an_hour_is_as_it_is_by_hand() -> None:
    """Each figure under its own heading."""
    day = Facts(at(900), CALLS, TALKS, PROMISES, ATTEMPTS, TEXTS, SPANS, TURNS)
    found = figures(day, QUARTER, Counting(short_abandon_s=5))
    assert {column.key: column.cell(found) for column in COLUMNS} == BY_HAND


def test_a_loss_that_rounds_to_nothing_is_nothing() -> None:
    """Not "-0.0"."""
    column: Column[float] = Column("loss_s", "損失", "Loss", Unit.SECONDS, lambda loss_s: loss_s)
    assert [str(column.cell(loss_s)) for loss_s in (-0.01, 0.01, -0.06)] == ["0.0", "0.0", "-0.1"]


def test_over_nothing_every_rate_and_mean_is_unknown() -> None:
    """Not 0, and not 100: a quarter without calls has no service level."""
    nothing = figures(Facts(as_of=at(900)), QUARTER, PLAIN)
    for column in COLUMNS:
        none_yet = (
            0
            if column.unit is Unit.COUNT or column.key in {"fairness_gained_s", "fairness_lost_s", "most_lost_s"}
            else None
        )
        assert column.cell(nothing) == (0 if column.key == "carried_erlangs" else none_yet), column.key


def test_rows_have_the_times_of_the_zone_and_the_headings_of_the_language() -> None:
    """And go through CSV, with a queue's name that is no formula."""
    day = Facts(as_of=at(900), calls=(answered(0, after_s=12.34), gave_up(1, after_s=30)))
    found = figures(day, QUARTER, PLAIN)
    for language in Language:
        table = rows([("=cmd", found), (None, found)], TOKYO, language)
        assert {len(row) for row in table} == {len(headings(language))}
        assert table[0][:3] == ["2026-11-24T09:00+09:00", "2026-11-24T09:15+09:00", "=cmd"]
        text = csv_text(headings(language), table)
        assert "'=cmd" in text
    assert headings(Language.JA)[:3] == ["開始", "終了", "キュー"]
    named = dict(zip(headings(Language.EN), rows([(None, found)], TOKYO)[0], strict=True))
    assert named["Queue"] == "All queues"
    assert (named["Answer rate (%)"], named["ASA (s)"], named["AHT (s)"]) == (50.0, 12.3, None)


def test_agents_have_rows_too() -> None:
    """By name."""
    day = Facts(
        as_of=at(900),
        talks=(TalkFact("bob", "sales", at(0), at(90), at(120)),),
        spans=(AgentSpan("alice", AgentState.PAUSED, at(0)),),
    )
    table = agent_rows(by_agent(day, QUARTER))
    assert table == [
        ["alice", 0, 0, None, None, None, 900.0, None, 0.0],
        ["bob", 1, 0, 90.0, 30.0, 120.0, 0.0, None, None],
    ]
    assert {len(row) for row in table} == {len(agent_headings(language)) for language in Language}


@pytest.mark.parametrize("columns", [COLUMNS, AGENT_COLUMNS])
def test_no_two_figures_have_the_same_name(columns: tuple[object, ...]) -> None:
    """Neither for a program nor for a person, in either language."""
    keys = [getattr(column, "key", None) for column in columns]
    assert len(set(keys)) == len(keys)
    for language in Language:
        shown = [column.heading(language) for column in columns if hasattr(column, "heading")]
        assert len(shown) == len(columns) == len(set(shown))


def test_the_page_of_the_figures_names_every_figure_as_the_headings_do() -> None:
    """In both languages, and no other; what is there for agents is also there for queues, or named in its own table."""
    named = {key: (ja.strip(), en.strip()) for key, ja, en, _ in ROW.findall(PAGE.read_text("utf-8"))}
    shown = {one.key: (one.ja, one.en) for one in COLUMNS} | {one.key: (one.ja, one.en) for one in AGENT_COLUMNS}
    assert named == shown
