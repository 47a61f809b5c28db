from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.domain.outcome import NEVER_SENT, Fault, Outcome
from controller.domain.retry_policy import (
    ALWAYS_END,
    DEFAULT_RULES,
    NEVER_TOLD,
    NOT_THE_CUSTOMERS,
    RetryPolicy,
    Rule,
    SameTimeTomorrow,
    Wait,
    broken_laws,
    next_try,
)

WITH_RULE = sorted(set(Outcome) - {Outcome.TALKED})
NOW = datetime(2030, 5, 6, 3, tzinfo=UTC)
ZONES = [
    ZoneInfo(name)
    for name in ("Asia/Tokyo", "America/New_York", "Europe/London", "Europe/Paris", "Australia/Lord_Howe")
]
waits = st.builds(
    Wait,
    first_s=st.floats(0, 86_400),
    growth=st.floats(1, 10),
    max_s=st.none() | st.floats(0, 604_800),
    jitter=st.floats(0, 1),
)
rules = st.builds(
    Rule,
    gap=waits | st.just(SameTimeTomorrow()),
    uses_attempt=st.booleans(),
    ends=st.booleans(),
    tell=st.booleans(),
    last_word=st.booleans(),
)


def gap_s(gap: Wait, *, call: int = 1, promise_id: str = "p1") -> float:
    """Return how long a gap is after so many calls."""
    return (next_try(gap, NOW, promise_id=promise_id, call=call, zone=UTC) - NOW).total_seconds()


def test_every_outcome_but_a_talk_has_a_rule() -> None:
    """A talk ends the promise and needs none."""
    assert set(DEFAULT_RULES) == set(WITH_RULE)
    with pytest.raises(KeyError):
        RetryPolicy().rule(Outcome.TALKED)
    with pytest.raises(ValueError, match="needs no rule"):
        RetryPolicy(rules={Outcome.TALKED: Rule(Wait(1))})


@pytest.mark.parametrize("outcome", WITH_RULE)
def test_without_settings_the_default_rule_holds(outcome: Outcome) -> None:
    """As declared; and it is within the laws."""
    assert RetryPolicy().rule(outcome) == DEFAULT_RULES[outcome]
    assert list(broken_laws(outcome, DEFAULT_RULES[outcome])) == []


@given(outcome=st.sampled_from(WITH_RULE), gap_s=st.floats(min_value=0, max_value=86_400))
def test_a_queue_can_change_the_gap_alone(outcome: Outcome, gap_s: float) -> None:
    """It is a fixed one then; the rest of the rule stays."""
    rule = RetryPolicy(gap_s={outcome: gap_s}).rule(outcome)
    assert rule == replace(DEFAULT_RULES[outcome], gap=Wait(gap_s))


@given(outcome=st.sampled_from(WITH_RULE), rule=rules, other=st.sampled_from(WITH_RULE))
def test_a_queue_can_change_a_whole_rule_within_the_laws(outcome: Outcome, rule: Rule, other: Outcome) -> None:
    """And no other outcome's; what breaks a law is refused."""
    if list(broken_laws(outcome, rule)):
        with pytest.raises(ValueError, match=f"^{outcome}: "):
            RetryPolicy(rules={outcome: rule})
        return
    changed = RetryPolicy(rules={outcome: rule})
    assert changed.rule(outcome) == rule
    assert other == outcome or changed.rule(other) == DEFAULT_RULES[other]


def test_a_gap_of_zero_seconds_is_a_gap() -> None:
    """It does not fall back to the default."""
    assert RetryPolicy(gap_s={Outcome.BUSY: 0}).rule(Outcome.BUSY).gap == Wait(0)


@given(outcome=st.sampled_from(WITH_RULE), rule=rules)
def test_what_is_not_the_customers_doing_uses_up_no_attempt_whatever_is_declared(outcome: Outcome, rule: Rule) -> None:
    """No agent, no circuit, closed hours, a cap, no PBX, a later time that was chosen, a dial that was taken back."""
    broken = {name for name, _ in broken_laws(outcome, rule)}
    is_free = outcome in {
        Outcome.OUTSIDE_HOURS,
        Outcome.OVER_CAP,
        Outcome.NOT_PLACED,
        Outcome.CONGESTION,
        Outcome.AGENT_LOST,
        Outcome.POSTPONED,
        Outcome.WITHDRAWN,
        Outcome.ABANDONED,
        Outcome.DRY_RUN,
    }
    assert ("uses_attempt" in broken) == (is_free and rule.uses_attempt)
    if is_free:
        assert ("ends" in broken) == rule.ends


def test_no_fault_of_the_customer_is_held_against_somebody_else() -> None:
    """What uses up no attempt by default is what never may; none of it is the customer's fault."""
    assert {outcome for outcome, rule in DEFAULT_RULES.items() if not rule.uses_attempt} == NOT_THE_CUSTOMERS
    assert Fault.CUSTOMER not in {outcome.fault for outcome in NOT_THE_CUSTOMERS}
    assert not NOT_THE_CUSTOMERS & ALWAYS_END


@given(outcome=st.sampled_from(WITH_RULE), rule=rules)
def test_a_number_that_cannot_or_may_not_be_dialled_is_not_dialled_again_whatever_is_declared(
    outcome: Outcome, rule: Rule
) -> None:
    """And neither is a customer who said no."""
    last = {Outcome.DECLINED, Outcome.INVALID_NUMBER, Outcome.NOT_ALLOWED, Outcome.BLOCKED}
    if outcome in last:
        assert ("ends" in {name for name, _ in broken_laws(outcome, rule)}) == (not rule.ends)
    assert {one for one, default in DEFAULT_RULES.items() if default.ends} == last


@given(outcome=st.sampled_from(sorted(NEVER_TOLD)), rule=rules)
def test_a_customer_who_may_not_be_dialled_or_said_no_is_sent_no_sms(outcome: Outcome, rule: Rule) -> None:
    """No SMS to a forbidden or blocked number; none to who pressed "no longer needed"."""
    assert {Outcome.DECLINED, Outcome.NOT_ALLOWED, Outcome.BLOCKED} == NEVER_TOLD
    broken = {name for name, _ in broken_laws(outcome, rule)}
    assert ("tell" in broken, "last_word" in broken) == (rule.tell, rule.last_word)


@pytest.mark.parametrize("outcome", sorted(NEVER_SENT - ALWAYS_END))
def test_what_did_not_even_leave_is_not_tried_again_without_a_pause(outcome: Outcome) -> None:
    """Neither attempts nor calls count it, so only the gap is left to bound it; and there is nothing to grow with."""
    rule = DEFAULT_RULES[outcome]
    assert [name for name, _ in broken_laws(outcome, replace(rule, gap=Wait(0.9)))] == ["gap"]
    assert [name for name, _ in broken_laws(outcome, replace(rule, gap=Wait(1, growth=2)))] == ["growth"]
    assert list(broken_laws(outcome, replace(rule, gap=SameTimeTomorrow()))) == []


def test_a_fixed_gap_is_the_same_each_time() -> None:
    """For every promise, too."""
    assert {gap_s(Wait(120), call=call, promise_id=name) for call in (0, 1, 7) for name in "ab"} == {120}


def test_a_growing_gap_grows_with_the_calls_that_left_up_to_its_maximum() -> None:
    """The first call waits the first gap."""
    growing = Wait(60, growth=2, max_s=300)
    assert [gap_s(growing, call=call) for call in (1, 2, 3, 4, 50)] == [60, 120, 240, 300, 300]
    assert gap_s(Wait(60, growth=10), call=10_000) == 30 * 24 * 3600


@given(wait=waits, call=st.integers(1, 10_000), promise_id=st.text(max_size=16))
def test_a_wait_is_never_shorter_than_declared_nor_longer_than_its_jitter_allows(
    wait: Wait, call: int, promise_id: str
) -> None:
    """And the same each time that it is asked for, also after a restart."""
    found_s = gap_s(wait, call=call, promise_id=promise_id)
    plain_s = gap_s(replace(wait, jitter=0), call=call, promise_id=promise_id)
    assert plain_s - 1e-3 <= found_s <= plain_s * (1 + wait.jitter) + 1e-3
    assert plain_s >= wait.first_s - 1e-3
    assert found_s == gap_s(wait, call=call, promise_id=promise_id)


def test_jitter_sends_those_apart_who_failed_together() -> None:
    """A hundred promises, and each of a promise's calls, spread over the whole of it."""
    jittered = Wait(100, jitter=0.5)
    for found in (
        [gap_s(jittered, promise_id=f"p{number}") for number in range(100)],
        [gap_s(jittered, call=call) for call in range(1, 101)],
    ):
        assert len(set(found)) == 100
        quarters = {int((one_s - 100) / 12.5) for one_s in found}
        assert quarters == {0, 1, 2, 3}


@pytest.mark.parametrize("zone", ZONES, ids=str)
@given(ended_at=st.datetimes(datetime(2026, 1, 1), datetime(2037, 12, 31), timezones=st.just(UTC)))  # noqa: DTZ001 - made aware by Hypothesis
def test_the_same_time_tomorrow_is_what_the_clock_says_then(zone: ZoneInfo, ended_at: datetime) -> None:
    """Unless the clocks skip that time; always a day away, give or take what the clocks are changed by."""
    due_at = next_try(SameTimeTomorrow(), ended_at, promise_id="p", call=1, zone=zone)
    assert abs(due_at - ended_at - timedelta(days=1)) <= timedelta(hours=1)
    today, tomorrow = ended_at.astimezone(zone), due_at.astimezone(zone)
    wanted = today.replace(tzinfo=None) + timedelta(days=1)
    exists = wanted.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) == wanted
    assert tomorrow.date() == wanted.date()
    assert not exists or tomorrow.replace(tzinfo=None) == wanted


@pytest.mark.parametrize(
    ("zone", "ended_at", "due_at"),
    [
        # The night before, at half past two; at half past two the clocks go from two to three.
        ("America/New_York", "2026-03-07T02:30-05:00", "2026-03-08T03:30-04:00"),
        ("Europe/Paris", "2026-03-28T02:30+01:00", "2026-03-29T03:30+02:00"),
        ("Australia/Lord_Howe", "2026-10-03T02:15+10:30", "2026-10-04T02:45+11:00"),
        # Tomorrow half past one comes twice: once is enough, the first time.
        ("America/New_York", "2026-10-31T01:30-04:00", "2026-11-01T01:30-04:00"),
        ("Europe/London", "2026-10-24T01:30+01:00", "2026-10-25T01:30+01:00"),
        # Today's second half past one: tomorrow there is but one.
        ("Europe/London", "2026-10-25T01:30+00:00", "2026-10-26T01:30+00:00"),
        ("Asia/Tokyo", "2026-11-22T14:05+09:00", "2026-11-23T14:05+09:00"),
    ],
)
def test_on_the_days_on_which_clocks_change_the_time_of_day_holds(zone: str, ended_at: str, due_at: str) -> None:
    """What is skipped counts as much later as the clocks skip; of what comes twice the first is taken."""
    found = next_try(SameTimeTomorrow(), datetime.fromisoformat(ended_at), promise_id="p", call=3, zone=ZoneInfo(zone))
    assert found == datetime.fromisoformat(due_at)
