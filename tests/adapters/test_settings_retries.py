from __future__ import annotations

import tomllib
from datetime import UTC
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.domain.outcome import Outcome
from controller.domain.retry_policy import DEFAULT_RULES, RetryPolicy, Rule, SameTimeTomorrow, Wait
from controller.settings.retries import Retry, retry_mistakes, retry_policy
from tests.adapters.test_settings import SMALL, load, mistakes

if TYPE_CHECKING:
    from pathlib import Path

QUEUE = '[[queues]]\nname = "support"\n'


def found(text: str) -> list[str]:
    """Return the mistakes in the tables of a queue, as `busy.growth: must be ...`."""
    raw = tomllib.loads(QUEUE + text)
    return [
        f"{'.'.join(map(str, path[2:])).removeprefix('retry.')}: {message}" for path, message in retry_mistakes(raw)
    ]


def declared(text: str) -> RetryPolicy:
    """Return the policy of the queue that these lines belong to."""
    assert found(text) == []
    queue = tomllib.loads(QUEUE + text)["queues"][0]
    return retry_policy(
        max_attempts=queue.get("max_attempts", 3),
        max_dials=queue.get("max_dials"),
        lifetime_s=86_400,
        gap_s=queue.get("retry_gap_s", {}),
        retry={name: Retry.model_validate(one) for name, one in queue.get("retry", {}).items()},
        zone=UTC,
    )


def test_without_tables_the_defaults_hold() -> None:
    """Every rule, and the two bounds."""
    policy = declared("")
    assert (policy.max_attempts, policy.max_dials) == (3, 10)
    assert {outcome: policy.rule(outcome) for outcome in DEFAULT_RULES} == dict(DEFAULT_RULES)


def test_everything_about_an_outcome_can_be_declared() -> None:
    """In one table; the same words as in the documents."""
    policy = declared(
        """
[queues.retry.busy]
gap_s = 60
growth = 2.0
max_gap_s = 600
jitter = 0.25
uses_attempt = false
ends = false
sms = true
last_sms = false
[queues.retry.no_answer]
next = "same_time_tomorrow"
[queues.retry.machine]
ends = true
""".replace("[queues.retry.busy]", "promise_lifetime_h = 72\n[queues.retry.busy]")
    )
    assert policy.rule(Outcome.BUSY) == Rule(
        Wait(60, growth=2, max_s=600, jitter=0.25), uses_attempt=False, ends=False, tell=True, last_word=False
    )
    assert policy.rule(Outcome.NO_ANSWER) == Rule(SameTimeTomorrow(), tell=True)
    assert policy.rule(Outcome.MACHINE) == Rule(Wait(1800), ends=True, tell=True)
    assert policy.rule(Outcome.UNKNOWN) == DEFAULT_RULES[Outcome.UNKNOWN]


def test_what_a_table_leaves_out_stays_as_it_is_by_default() -> None:
    """The wait of two minutes that busy has, now growing; that of a congestion, without its jitter."""
    tables = (
        "[queues.retry.busy]\ngrowth = 3\n[queues.retry.congestion]\njitter = 0\n[queues.retry.machine]\nsms = false"
    )
    policy = declared(tables)
    assert policy.rule(Outcome.MACHINE) == Rule(Wait(1800))
    assert policy.rule(Outcome.BUSY) == Rule(Wait(120, growth=3))
    assert policy.rule(Outcome.CONGESTION) == Rule(Wait(60, growth=2, max_s=3600), uses_attempt=False)


def test_the_old_form_is_a_fixed_wait() -> None:
    """Beside tables for other outcomes."""
    policy = declared("[queues.retry_gap_s]\nbusy = 7\ncongestion = 5\n[queues.retry.no_answer]\ngap_s = 9\n")
    gaps = [policy.rule(one).gap for one in (Outcome.BUSY, Outcome.CONGESTION, Outcome.NO_ANSWER)]
    assert gaps == [Wait(7), Wait(5), Wait(9)]


def test_as_many_calls_may_leave_as_attempts_are_wanted() -> None:
    """Ten, or as many as the attempts; a bound of the queue's own holds instead."""
    assert declared("max_attempts = 12\n").max_dials == 12
    assert declared("max_attempts = 12\nmax_dials = 15\n").max_dials == 15
    assert found("max_attempts = 12\nmax_dials = 5\n") == ["max_dials: must be max_attempts (12) or more, not 5"]
    assert found("max_dials = 2\n") == ["max_dials: must be max_attempts (3) or more, not 2"]


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (
            "congestion]\nuses_attempt = true",
            "congestion.uses_attempt: must be false: congestion is not the customer's",
        ),
        ("outside_hours]\nuses_attempt = true", "outside_hours.uses_attempt: must be false"),
        (
            "withdrawn]\nends = true",
            "withdrawn.ends: must be false: withdrawn is not the customer's doing, so they are",
        ),
        ("invalid_number]\nends = false", "invalid_number.ends: must be true: after invalid_number nobody is dialled"),
        ("blocked]\nsms = true", "blocked.sms: must be false: after blocked nobody is sent an SMS"),
        ("declined]\nlast_sms = true", "declined.last_sms: must be false: after declined nobody is sent an SMS"),
        ("declined]\ngap_s = 5", "declined.gap_s: means nothing: declined ends the promise, there is no next attempt"),
        ("not_placed]\ngap_s = 0", "not_placed.gap_s: must be 1 s or more"),
        ("over_cap]\ngrowth = 2", "over_cap.growth: means nothing: with over_cap no call left"),
        ("busy]\ngap_s = 60\nmax_gap_s = 30", "busy.max_gap_s: must be gap_s (60) or more, not 30"),
        ("busy]\nmax_gap_s = 100", "busy.max_gap_s: must be gap_s (120) or more, not 100"),
        ("talked]\ngap_s = 60", "talked: is the promise kept: nothing follows it"),
        ("buzy]\ngap_s = 60", 'buzy: is not an outcome of a call; did you mean "busy"?'),
        ("xyzzy]\ngap_s = 60", "xyzzy: is not an outcome of a call; known are abandoned, "),
        (
            'busy]\nnext = "same_time_tomorrow"',
            "busy.next: comes too late: a promise of this queue lives 24 hours; make ",
        ),
    ],
)
def test_what_no_queue_may_declare_is_told_at_its_key(table: str, told: str) -> None:
    """With what it has to be, or why it means nothing."""
    (message,) = found(f"[queues.retry.{table}\n")
    assert message.startswith(told)


def test_a_wait_in_seconds_means_nothing_beside_the_same_time_tomorrow() -> None:
    """Each is told."""
    table = '[queues.retry.busy]\nnext = "same_time_tomorrow"\ngap_s = 5\njitter = 0.5\n'
    assert found(f"promise_lifetime_h = 48\n{table}") == [
        'busy.gap_s: means nothing with next = "same_time_tomorrow"',
        'busy.jitter: means nothing with next = "same_time_tomorrow"',
    ]


def test_an_outcome_stands_in_one_of_the_two_forms() -> None:
    """Not in both."""
    (message,) = found("[queues.retry_gap_s]\nbusy = 7\n[queues.retry.busy]\ngrowth = 2\n")
    assert message == "busy: stands in [queues.retry_gap_s] too: write its gap_s here, and nothing there"


anything: st.SearchStrategy[object] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
tables = st.dictionaries(st.sampled_from([*Retry.model_fields, "x"]), anything, max_size=4) | anything


@given(
    st.dictionaries(st.sampled_from([*Outcome, "x"]), tables, max_size=3) | anything,
    st.dictionaries(st.sampled_from([*Outcome, "x"]), anything, max_size=3) | anything,
    anything,
)
def test_whatever_stands_in_the_tables_is_taken_or_told(retry: object, gaps: object, number: object) -> None:
    """Nothing is raised, whatever a file holds."""
    queue = {"retry": retry, "retry_gap_s": gaps, "max_dials": number, "max_attempts": 3, "promise_lifetime_h": number}
    for path, message in retry_mistakes({"queues": [queue]}):
        assert path[:2] == ("queues", 0)
        assert message


good = st.builds(
    Retry,
    gap_s=st.none() | st.floats(0, 1000),
    growth=st.none() | st.floats(1, 10),
    max_gap_s=st.none() | st.floats(0, 5000),
    jitter=st.none() | st.floats(0, 1),
    next=st.none() | st.sampled_from(["after_gap", "same_time_tomorrow"]),
    uses_attempt=st.none() | st.booleans(),
    ends=st.none() | st.booleans(),
    sms=st.none() | st.booleans(),
    last_sms=st.none() | st.booleans(),
)


@given(st.dictionaries(st.sampled_from(sorted(DEFAULT_RULES)), good, max_size=3))
def test_tables_in_which_no_mistake_is_told_make_a_policy(retry: dict[Outcome, Retry]) -> None:
    """The controller does not stop at its start over what `controller check` let pass."""
    raw = {outcome.value: one.model_dump(exclude_none=True) for outcome, one in retry.items()}
    told = list(retry_mistakes({"queues": [{"retry": raw, "promise_lifetime_h": 100}]}))
    by_name = {outcome.value: one for outcome, one in retry.items()}
    if not told:
        retry_policy(max_attempts=3, max_dials=None, lifetime_s=1, gap_s={}, retry=by_name, zone=UTC)


def test_tables_of_a_settings_file_come_to_the_policy_of_their_queue(tmp_path: Path) -> None:
    """With the clock of the queue, which may be another than that of the house."""
    tables = """max_dials = 6
promise_lifetime_h = 72
[queues.hours]
time_zone = "Europe/London"
mon = ["09:00-17:00"]
[queues.retry.busy]
gap_s = 60
jitter = 0.5
[queues.retry.no_answer]
next = "same_time_tomorrow"
[[agents]]"""
    policy = load(tmp_path, SMALL.replace("[[agents]]", tables, 1)).retry_policies["support"]
    assert (policy.max_dials, policy.lifetime_s, policy.zone) == (6, 72 * 3600, ZoneInfo("Europe/London"))
    assert policy.rule(Outcome.BUSY).gap == Wait(60, jitter=0.5)
    assert policy.rule(Outcome.NO_ANSWER).gap == SameTimeTomorrow()
    assert load(tmp_path, SMALL).retry_policies["support"] == RetryPolicy(zone=ZoneInfo("Asia/Tokyo"))


def test_mistakes_in_tables_are_told_with_their_lines(tmp_path: Path) -> None:
    """Those of shape and those of sense, together."""
    lines = [
        "[queues.retry.busy]",
        "gap_s = -1",
        'next = "tomorrow"',
        "grwth = 2",
        "[queues.retry.congestion]",
        "uses_attempt = true",
        "[[agents]]",
    ]
    first = SMALL.splitlines().index("[[agents]]") + 1
    is_not_theirs = "must be false: congestion is not the customer's doing, so it uses up none of their attempts"
    wanted = [
        (1, "busy.gap_s: must be 0 or more, not -1"),
        (2, 'busy.next: must be "after_gap" or "same_time_tomorrow", not "tomorrow"'),
        (3, "busy.grwth: is not a setting"),
        (5, f"congestion.uses_attempt: {is_not_theirs}"),
    ]
    assert mistakes(tmp_path, SMALL.replace("[[agents]]", "\n".join(lines), 1)) == [
        f"controller.toml:{first + line}: queues.support.retry.{told}" for line, told in wanted
    ]
