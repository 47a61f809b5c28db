from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.domain import sms_words, story_words_ja
from controller.domain.comes_next import comes_next
from controller.domain.effects import SmsTemplate
from controller.domain.evidence import AnsweredBy, Evidence
from controller.domain.history import History, Replied, Step, Tried, Written
from controller.domain.lifecycle import CancelReason, Event, PostponeReason
from controller.domain.line import Decision, DecisionReason, WaiterKind
from controller.domain.outcome import Fault, Outcome
from controller.domain.promise import Promise, PromiseState
from controller.domain.retry_policy import RetryPolicy, SameTimeTomorrow, Wait
from controller.domain.slots import Slot
from controller.domain.sms import SmsStatus
from controller.domain.story_ja import comes_next_ja, timeline_ja
from controller.domain.story_words_ja import duration_ja, gap_ja, moment_ja
from controller.domain.timeline import Line, timeline

NOON = datetime(2030, 5, 6, 3, tzinfo=UTC)
"""In Tokyo."""
TOKYO = ZoneInfo("Asia/Tokyo")
POLICY = RetryPolicy(zone=TOKYO)
PROMISE = Promise("p1", "support", "+819012345678", "ja", NOON, NOON, NOON + timedelta(days=1))
W, D = PromiseState.WAITING, PromiseState.DIALLING
JAPANESE = re.compile(r"[ぁ-んァ-ヶ一-龠]")
EVENTS = ["Made", *(kind.__name__ for kind in get_args(Event))]


def at(minutes: float) -> datetime:
    """Return so many minutes after noon."""
    return NOON + timedelta(minutes=minutes)


def told(*steps: Step, promise: Promise = PROMISE, tried: tuple[Tried, ...] = ()) -> Line:
    """Return the last line of a history."""
    return timeline_ja(History(promise, steps, tried), POLICY)[-1]


def ended(detail: str, state: PromiseState = W) -> str:
    """Return why the end of an attempt led to `state`; something happened after it."""
    steps = (
        Step(NOON, "AttemptStarted", D, "a1"),
        Step(NOON, "AttemptEnded", state, detail),
        Step(at(1), "AttemptStarted", D, "a2"),
    )
    return timeline_ja(History(PROMISE, steps), POLICY)[1].why


def test_a_life_reads_from_top_to_bottom() -> None:
    """With whatever was written down elsewhere, where it belongs in time; times on the clock of the queue."""
    busy = Evidence(trunk="carrier", cause=17, tech_cause=486)
    history = History(
        replace(PROMISE, state=PromiseState.FULFILLED, dials=2),
        (
            Step(NOON, "Made", W, "1893456000.7"),
            Step(at(1), "AttemptStarted", D, "a1"),
            Step(at(2), "AttemptEnded", W, "busy"),
            Step(at(9), "CustomerRangIn", PromiseState.FULFILLED, "1893456000.9"),
        ),
        (Tried("a1", "agent-2", at(1), at(2), Outcome.BUSY, evidence=busy),),
        (Decision(at(0.5), "support", "p1", WaiterKind.PROMISE, "agent-2", NOON, 1, False, False, ("x",)),),
        (Written("not_reached", "delivered", at(2), at(3), 1, receipt_at=at(4)),),
        (Replied(at(5), "time", at(5)),),
    )
    lines = timeline_ja(history, POLICY)
    assert [line.at for line in lines] == [NOON, at(0.5), at(1), at(2), at(2), at(5), at(9)]
    assert [line.what for line in lines] == [
        "折り返し予約を受け付けました",
        "agent-2に割り当てました(待ち行列の1番目)",
        "1回目の発信(担当: agent-2)",
        "1回目の発信(carrier経由): 話中(SIP 486、理由コード 17)",
        "SMS: 到達(5月6日12:04)",
        "お客様からSMSの返信がありました",
        "お客様からの入電で完了しました",
    ]
    assert lines[0].why == "通話 1893456000.7 で、できるだけ早く"
    assert lines[1].why.endswith("先に到着した1件を追い越しました")


@pytest.mark.parametrize(
    ("call", "how"),
    [
        ("link-1", "予約ページから"),
        ("sms-1", "SMSで"),
        ("desk-1", "オペレーターの画面から"),
        ("api-1", "外部システムから"),
    ],
)
def test_how_it_was_asked_for_is_told(call: str, how: str) -> None:
    """By link, by SMS, at the desk, over the API; and for which window."""
    assert how in told(Step(NOON, "Made", W, call)).why
    with_window = told(Step(NOON, "Made", W, f"{call} 2030-05-06T05:00:00+00:00")).why
    assert with_window.endswith("5月6日14:00からの枠")
    assert how in with_window


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("detail", ["", "x", "agent-1", "support sales 2030-05-06T05:00:00+00:00", "busy 60 at_once"])
def test_every_event_is_told_in_japanese(event: str, detail: str) -> None:
    """None by its name in the code, whatever stands beside it."""
    words = detail if event != "Moved" else "support sales"
    line = told(Step(NOON, "AttemptStarted", D, "a1"), Step(at(1), event, W, words))
    assert JAPANESE.search(line.what)
    assert event not in line.what


def test_every_word_of_the_domain_has_one_in_japanese() -> None:
    """Whoever adds an outcome, a reason, a template or a state adds it here, too."""
    words = story_words_ja
    assert set(words.OUTCOMES) == set(Outcome)
    assert set(words.WHOSE) == set(Fault)
    assert set(words.ON_BEHALF) == {each.value for each in CancelReason}
    assert set(words.POSTPONED) == {each.value for each in PostponeReason}
    assert set(words.SERVED) == set(DecisionReason)
    assert set(words.STATES) == {each.value for each in PromiseState}
    assert set(words.SMS_SAYS) == {each.value for each in SmsTemplate}
    assert set(words.SMS_STANDS) == set(SmsStatus)
    assert set(words.REPLY_MEANS) == set(sms_words.MEANS)


def test_reasons_are_told() -> None:
    """Whose doing, whether it counts, and when the next call is."""
    assert ended("busy").startswith("お客様側の事情です。試行回数に数えます。次の発信は5月6日")
    assert ended("over_cap").startswith("試行回数には数えません。次の発信は")
    assert "システム側の事情です" in ended("abandoned")
    assert "別の回線ですぐに再発信します" in ended("congestion at_once")
    assert "お客様が30分後を選択されました" in ended("postponed 1800")
    assert "再発信しない設定です" in ended("invalid_number", PromiseState.EXHAUSTED)
    assert "上限に達しました" in ended("no_answer", PromiseState.EXHAUSTED)
    assert "完了です" in ended("talked", PromiseState.FULFILLED)
    assert "不要とのことです" in ended("declined", PromiseState.CANCELLED)


def test_an_agreed_time_is_told_instead_of_the_rules() -> None:
    """The row knows it: a window was chosen while the dial was on its way."""
    promise = replace(PROMISE, not_before=at(300))
    line = told(Step(NOON, "AttemptStarted", D, "a1"), Step(NOON, "AttemptEnded", W, "busy"), promise=promise)
    assert line.why.endswith("次の発信は5月6日17:00以降: お約束の時刻です")


def test_spans_of_time_are_told_in_their_two_largest_units() -> None:
    """As people say them."""
    told_s = {0.5: "0.5秒", 59: "59秒", 60: "1分", 5400: "1時間30分", 90_061: "1日1時間"}
    assert {seconds: duration_ja(seconds) for seconds in told_s} == told_s
    assert moment_ja(NOON, TOKYO) == "5月6日12:00"
    assert gap_ja(Wait(60, growth=2)) == "1分(発信のたびに2倍)の間隔を空けます"
    assert gap_ja(Wait(0)) == "間隔は空けません"
    assert gap_ja(SameTimeTomorrow()) == "翌日の同じ時刻まで間隔を空けます"


@pytest.mark.parametrize("state", PromiseState)
def test_what_comes_next_is_told_of_every_state(state: PromiseState) -> None:
    """As much as in English."""
    promise = replace(PROMISE, state=state, slot=Slot(at(60), at(90)))
    after = comes_next(promise, NOON, POLICY, lambda since: since)
    lines = comes_next_ja(promise, after, NOON, POLICY)
    assert len(lines) == len(after.lines)
    assert all(JAPANESE.search(line) for line in lines)


@pytest.mark.parametrize("opens_in_min", [None, 0, 30, 2000])
@pytest.mark.parametrize("due_in_min", [-10, 10])
def test_when_it_comes_is_told(opens_in_min: float | None, due_in_min: float) -> None:
    """As many lines as in English, whatever the hours are; one that expires before it may be called says so."""
    promise = replace(PROMISE, not_before=at(due_in_min))
    opens_at = None if opens_in_min is None else at(opens_in_min)
    after = comes_next(promise, NOON, POLICY, lambda _: opens_at)
    lines = comes_next_ja(promise, after, NOON, POLICY)
    assert len(lines) == len(after.lines)
    assert ("期限が切れます" in lines[-1]) == (opens_in_min == 2000)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(EVENTS),
            st.sampled_from(PromiseState),
            st.lists(
                st.sampled_from(["busy", "a1", "60", "at_once", "nan", "customer", "2030-05-06T05:00:00+00:00", "x"]),
                max_size=3,
            ),
        ),
        max_size=8,
    )
)
def test_both_languages_tell_the_same_moments(steps: list[tuple[str, PromiseState, list[str]]]) -> None:
    """Whatever stands in a history: neither tells more than the other, and neither stumbles."""
    history = History(
        PROMISE,
        tuple(Step(at(nth), event, state, " ".join(words)) for nth, (event, state, words) in enumerate(steps)),
        (Tried("a1", "agent-1", NOON, None, evidence=Evidence(answered_at=NOON, answered_by=AnsweredBy.MACHINE)),),
    )
    english, japanese = timeline(history, POLICY), timeline_ja(history, POLICY)
    assert [line.at for line in english] == [line.at for line in japanese]
    assert all(line.what for line in japanese)
