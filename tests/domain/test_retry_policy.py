from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.domain.outcome import Fault, Outcome
from controller.domain.retry_policy import DEFAULT_RULES, RetryPolicy

WITH_RULE = sorted(set(Outcome) - {Outcome.TALKED})


def test_every_outcome_but_a_talk_has_a_rule() -> None:
    """A talk ends the promise and needs none."""
    assert set(DEFAULT_RULES) == set(WITH_RULE)
    with pytest.raises(KeyError):
        RetryPolicy().rule(Outcome.TALKED)


@pytest.mark.parametrize("outcome", WITH_RULE)
def test_without_settings_the_default_rule_holds(outcome: Outcome) -> None:
    """As declared."""
    assert RetryPolicy().rule(outcome) == DEFAULT_RULES[outcome]


@given(outcome=st.sampled_from(WITH_RULE), gap_s=st.floats(min_value=0, max_value=86_400))
def test_a_queue_can_change_the_gap_and_nothing_else(outcome: Outcome, gap_s: float) -> None:
    """Whether an attempt is used up, the promise ends or an SMS is owed is not a setting."""
    rule = RetryPolicy(gap_s={outcome: gap_s}).rule(outcome)
    default = DEFAULT_RULES[outcome]
    assert rule == replace(default, gap_s=gap_s)


def test_a_gap_of_zero_seconds_is_a_gap() -> None:
    """It does not fall back to the default."""
    assert RetryPolicy(gap_s={Outcome.BUSY: 0}).rule(Outcome.BUSY).gap_s == 0


@given(outcome=st.sampled_from(WITH_RULE), other=st.sampled_from(WITH_RULE))
def test_the_gap_of_one_outcome_does_not_change_another(outcome: Outcome, other: Outcome) -> None:
    """Each has its own."""
    changed = RetryPolicy(gap_s={outcome: 7})
    assert other == outcome or changed.rule(other) == DEFAULT_RULES[other]


def test_what_is_not_the_customers_doing_uses_up_no_attempt() -> None:
    """No agent, no circuit, closed hours, no PBX; nor is a dial that was taken back."""
    free = {outcome for outcome, rule in DEFAULT_RULES.items() if not rule.uses_attempt}
    ours = {Outcome.CONGESTION, Outcome.AGENT_LOST, Outcome.OUTSIDE_HOURS, Outcome.NOT_PLACED, Outcome.WITHDRAWN}
    assert free == ours
    assert Fault.CUSTOMER not in {outcome.fault for outcome in free}


def test_a_number_that_cannot_or_may_not_be_dialled_is_not_dialled_again() -> None:
    """And neither is a customer who said no."""
    last = {outcome for outcome, rule in DEFAULT_RULES.items() if rule.ends}
    assert last == {Outcome.DECLINED, Outcome.INVALID_NUMBER, Outcome.NOT_ALLOWED}


def test_a_customer_who_may_not_be_dialled_or_said_no_is_sent_no_sms() -> None:
    """No SMS to a forbidden number; none to who pressed "no longer needed"."""
    assert not DEFAULT_RULES[Outcome.NOT_ALLOWED].last_word
    assert not DEFAULT_RULES[Outcome.DECLINED].tell


def test_an_outcome_that_uses_no_attempt_is_not_tried_again_at_once_without_end() -> None:
    """Only a lost agent is: the next agent takes it, and there has to be one."""
    at_once = {o for o, rule in DEFAULT_RULES.items() if not rule.uses_attempt and rule.gap_s < 30}
    assert at_once == {Outcome.AGENT_LOST}
