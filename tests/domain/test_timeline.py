from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.domain.effects import SmsTemplate
from controller.domain.evidence import AnsweredBy, Evidence
from controller.domain.history import History, Step, Tried, Written
from controller.domain.lifecycle import CancelReason, Event, PostponeReason
from controller.domain.line import Decision, WaiterKind
from controller.domain.outcome import Outcome
from controller.domain.promise import Promise, PromiseState
from controller.domain.retry_policy import DEFAULT_RULES, RetryPolicy, Rule, SameTimeTomorrow, Wait
from controller.domain.slots import Slot
from controller.domain.timeline import Line, timeline

NOON = datetime(2030, 5, 6, 3, tzinfo=UTC)
"""In Tokyo."""
POLICY = RetryPolicy(zone=ZoneInfo("Asia/Tokyo"))
PROMISE = Promise("p1", "support", "+819012345678", "ja", NOON, NOON, NOON + timedelta(days=1))
W, D, C = PromiseState.WAITING, PromiseState.DIALLING, PromiseState.CONNECTED


def at(minutes: float) -> datetime:
    """Return so many minutes after noon."""
    return NOON + timedelta(minutes=minutes)


def told(*steps: Step, policy: RetryPolicy = POLICY, promise: Promise = PROMISE, tried: tuple[Tried, ...] = ()) -> Line:
    """Return the last line of a history."""
    return timeline(History(promise, steps, tried), policy)[-1]


def ended(detail: str, state: PromiseState = W, *, policy: RetryPolicy = POLICY, more: bool = True) -> str:
    """Return why the end of an attempt led to `state`; with `more` something happened after it."""
    started = Step(NOON, "AttemptStarted", D, "a1")
    lines = [started, Step(NOON, "AttemptEnded", state, detail)]
    lines += [Step(at(1), "AttemptStarted", D, "a2")] if more else []
    return timeline(History(PROMISE, tuple(lines)), policy)[1].why


def test_a_life_reads_from_top_to_bottom() -> None:
    """With whatever was written down elsewhere, where it belongs in time; times on the clock of the queue."""
    busy = Evidence(trunk="carrier", cause=17, tech_cause=486)
    answered = Evidence(
        trunk="second",
        rang=True,
        answered_at=at(5.5),
        answered_by=AnsweredBy.HUMAN,
        confirmed_at=at(5.6),
    )
    history = History(
        replace(PROMISE, state=PromiseState.FULFILLED, dials=2),
        (
            Step(NOON, "Made", W, "1893456000.7"),
            Step(at(1), "AttemptStarted", D, "a1"),
            Step(at(2), "AttemptEnded", W, "busy"),
            Step(at(5), "AttemptStarted", D, "a2"),
            Step(at(6), "CustomerConnected", C),
            Step(at(9), "AttemptEnded", PromiseState.FULFILLED, "talked"),
        ),
        (
            Tried("a1", "agent-2", at(1), at(2), Outcome.BUSY, evidence=busy),
            Tried("a2", "agent-7", at(5), at(9), Outcome.TALKED, evidence=answered, customer_first=True),
        ),
        (Decision(at(0.5), "support", "p1", WaiterKind.PROMISE, "agent-2", NOON, 1, False, False, ()),),
        (Written("not_reached", "sent", at(2), at(3), 1),),
    )
    assert timeline(history, POLICY) == (
        Line(NOON, "promised", "on call 1893456000.7, as soon as possible"),
        Line(at(0.5), "given to agent-2 as number 1 in line", "nobody came before it"),
        Line(at(1), "attempt 1 by agent-2", "written down before anybody is dialled"),
        Line(
            at(2),
            "attempt 1 over carrier: busy (SIP 486, cause 17)",
            "the customer's doing; uses up an attempt; next try 05-06 12:04:00, because busy waits 2 min",
        ),
        Line(at(2), "SMS not_reached: sent 05-06 12:03:00", "says that we called, and will call again"),
        Line(at(5), "attempt 2 with the customer first", "written down before anybody is dialled"),
        Line(at(6), "customer and agent talk", "the customer confirmed: nobody calls them again"),
        Line(
            at(9),
            "attempt 2 over second: talked with agent-7 "
            "(answered 12:05:30 by a person, confirmed 12:05:36, lasted 3 min 30 s)",
            "nobody's doing; the promise is kept",
        ),
    )


@pytest.mark.parametrize(
    ("event", "detail", "what", "why"),
    [
        ("Made", "c1 2030-05-07T00:00:00+00:00", "promised", "on call c1, for the window of 05-07 09:00:00"),
        ("Merged", "c2", "asked for once more", "on call c2, as soon as possible"),
        (
            "Postponed",
            "agent 2030-05-06T04:00:00+00:00",
            "postponed until 05-06 13:00:00",
            "the agent put it off; uses",
        ),
        ("Postponed", "over_cap 2030-05-06T04:00:00+00:00", "postponed until 05-06 13:00:00", "a cap on calls or cost"),
        ("Cancelled", "customer", "cancelled by the customer", "nobody is dialled"),
        ("Cancelled", "admin 2030-05-07T00:00:00+00:00", "cancelled by an admin", "nobody is dialled"),
        ("Cancelled", "stop", "cancelled: the number asked not to be called", "nobody is dialled"),
        ("Cancelled", "", "cancelled", "nobody is dialled"),
        (
            "RunningLate",
            "2030-05-06T04:00:00+00:00",
            "the window cannot be kept",
            "the call is expected 05-06 13:00:00; an SMS says so before it ends",
        ),
        ("RunningLate", "", "the window cannot be kept", "an SMS says so"),
        ("Made", "link-0123abcd", "promised", "on the booking page, as soon as possible"),
        (
            "Merged",
            "sms-twilio-SM1 2030-05-07T00:00:00+00:00",
            "asked for once more",
            "by SMS, for the window of 05-07",
        ),
        ("CustomerRangIn", "c3", "kept: they rang us", "on call c3 they talked with an agent"),
        ("CustomerRangIn", "2030-05-07T00:00:00+00:00", "kept: they rang us", "on a call of theirs they talked"),
        ("DeadlinePassed", "", "expired", "it was not kept within its lifetime"),
        ("Cancelled", "supervisor", "cancelled by a supervisor", "nobody is dialled"),
        ("Prioritised", "urgent", "made urgent", "ahead of those who are not"),
        ("Prioritised", "", "urgent no more", "in its place by arrival"),
        ("Assigned", "alice", "assigned to alice", "nobody else is asked while they are on duty"),
        ("Assigned", "", "assigned to nobody any more", "everybody is asked"),
        ("Moved", "cards loans", "moved from cards to loans", "in the place that it had"),
        (
            "Moved",
            "cards loans 2030-05-07T00:00:00+00:00",
            "moved from cards to loans",
            "in the place that it had, without the window that it had",
        ),
        ("AttemptStarted", "gone", "attempt 1", "written down"),
        ("AttemptEnded", "vanished", "attempt 0 ended", "vanished"),
        ("SomethingNew", "said", "SomethingNew", "said"),
    ],
)
def test_each_event_has_its_words(event: str, detail: str, what: str, why: str) -> None:
    """Also one of another version: it is told as it stands."""
    line = told(Step(NOON, event, W, detail))
    assert line.what == what
    assert line.why.startswith(why)


def test_every_reason_and_every_text_that_a_promise_can_owe_has_words() -> None:
    """None is told as a word of the program."""
    for reason in CancelReason:
        assert told(Step(NOON, "Cancelled", PromiseState.CANCELLED, reason.value)).what != "cancelled"
    for postponed in PostponeReason:
        assert "not known" not in told(Step(NOON, "Postponed", W, f"{postponed.value} {NOON.isoformat()}")).why
    for kind in get_args(Event):
        assert told(Step(NOON, kind.__name__, W)).what != kind.__name__
    for template in SmsTemplate:
        written = Written(template, "queued", NOON, tries=2, error="the gateway is away")
        (line,) = timeline(History(PROMISE, (), written=(written,)), POLICY)
        assert line.what == f"SMS {template}: queued, tries: 2 (the gateway is away)"
        assert line.why


@pytest.mark.parametrize("outcome", sorted(DEFAULT_RULES))
def test_every_outcome_tells_whose_doing_it_was_and_what_it_used_up(outcome: Outcome) -> None:
    """And when the next try is, or why there is none."""
    why = ended(outcome.value, PromiseState.EXHAUSTED if DEFAULT_RULES[outcome].ends else W)
    assert why.split("'s doing;")[0] in {"the customer", "the network", "the agent", "nobody"} or "our own doing" in why
    assert ("uses up an attempt" in why) == DEFAULT_RULES[outcome].uses_attempt
    assert "next try" in why or "ends a promise" in why


def test_the_end_tells_what_decided() -> None:
    """The rule, the bound, the customer, or another trunk."""
    customers = "the customer's doing; uses up an attempt; "
    assert ended("busy", PromiseState.EXHAUSTED) == f"{customers}no further call: no attempt or call is left"
    assert ended("invalid_number", PromiseState.EXHAUSTED) == (
        f"{customers}no further call: invalid number ends a promise"
    )
    assert ended("declined", PromiseState.CANCELLED) == "nobody's doing; they no longer want the call"
    assert ended("no_answer", PromiseState.CANCELLED) == "the customer's doing; it was cancelled meanwhile"
    assert ended("talked", PromiseState.CANCELLED) == "nobody's doing; it was cancelled meanwhile"
    assert ended("congestion at_once").endswith("uses up no attempt; next try at once: there is another trunk")
    assert ended("postponed 5400") == (
        "nobody's doing; uses up no attempt; next try 05-06 13:30:00, because they chose 1 h 30 min later"
    )


@pytest.mark.parametrize("later", ["nan", "inf", "1e400", "-1", "soon"])
def test_a_later_time_that_makes_no_sense_is_told_by_the_rule(later: str) -> None:
    """Whatever stands there."""
    assert ended(f"postponed {later}").endswith("next try 05-06 12:30:00, because postponed waits 30 min")


def test_the_rule_of_the_queue_is_told_in_its_own_words() -> None:
    """A wait that grows, by how many calls left; the clock of the queue for tomorrow."""
    rules = {
        Outcome.BUSY: Rule(Wait(60, growth=2, max_s=3600, jitter=0.2)),
        Outcome.NO_ANSWER: Rule(SameTimeTomorrow()),
    }
    policy = replace(POLICY, rules=rules)
    why = ended("busy", policy=policy)
    assert why.endswith("because busy waits 1 min, 2 times as long after each call, at most 1 h, and up to 20 % more")
    assert ended("no_answer", policy=policy).endswith(
        "next try 05-07 12:00:00, because no answer waits until the same time tomorrow"
    )
    steps = [Step(at(n), "AttemptEnded", W, "busy") if n % 2 else Step(at(n), "AttemptStarted", D) for n in range(4)]
    fixed = replace(POLICY, rules={Outcome.BUSY: Rule(Wait(60, growth=3))})
    lines = timeline(History(PROMISE, (*steps, Step(at(9), "AttemptStarted", D))), fixed)
    assert [line.why.split("next try ")[1][6:14] for line in lines if "next try" in line.why] == [
        "12:02:00",
        "12:06:00",
    ]


def test_of_the_last_attempt_the_promise_itself_says_when_the_next_is() -> None:
    """A window that was chosen, or a rule that has been changed since."""
    due = replace(PROMISE, not_before=at(30))
    steps = (Step(NOON, "AttemptStarted", D, "a1"), Step(NOON, "AttemptEnded", W, "busy"))
    assert told(*steps, promise=replace(due, not_before=at(2))).why.endswith("12:02:00, because busy waits 2 min")
    assert told(*steps, promise=due).why.endswith(
        "next try 05-06 12:30:00, because that was agreed; now busy waits 2 min"
    )
    window = replace(due, slot=Slot(at(30), at(60)))
    assert told(*steps, promise=window).why.endswith("next try 05-06 12:30:00, because they chose that window")


def test_who_was_passed_and_who_redialled_is_told() -> None:
    """As the line and the agent did it."""
    tried = (Tried("a1", "hanako", NOON, by_hand=True),)
    started = told(Step(NOON, "AttemptStarted", D, "a1"), tried=tried)
    assert started.what == "attempt 1 by hanako, redialled by hand"
    decision = Decision(NOON, "support", "p1", WaiterKind.PROMISE, "", NOON, 3, False, True, ("c1", "c2"))
    (line,) = timeline(History(PROMISE, (), decisions=(decision,)), POLICY)
    assert (line.what, line.why) == (
        "its turn as number 3 in line",
        "it had been passed as often as may be, past 2 who came before",
    )


@given(
    st.lists(
        st.builds(
            Step,
            st.datetimes(datetime(2030, 1, 1), datetime(2031, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - made aware by Hypothesis
            st.sampled_from(["Made", *(kind.__name__ for kind in get_args(Event)), "Other"]),
            st.sampled_from(PromiseState),
            st.text(max_size=30)
            | st.sampled_from([*Outcome, "postponed nan", "postponed 1e400", "agent 2030-01-01", "postponed -1"]),
        ),
        max_size=12,
    )
)
def test_whatever_was_written_down_is_told_in_the_order_of_time_without_the_number(steps: list[Step]) -> None:
    """A damaged history is told as well."""
    lines = timeline(History(PROMISE, tuple(steps)), POLICY)
    assert [line.at for line in lines] == sorted(step.at for step in steps)
    assert not any("9012345678" in line.what + line.why for line in lines)
