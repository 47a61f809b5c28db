from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from controller.domain.hook_retries import GAPS_S, JITTER, LIFETIME, LONGEST_REST_S, LONGEST_TOLD_S, next_try_at, rest_s

NOON = datetime(2030, 5, 6, 3, 0, tzinfo=UTC)
ids = st.text(alphabet="0123456789abcdef", min_size=1, max_size=36)


def tries_of(event_id: str) -> list[datetime]:
    """Return when an event that is never taken is sent, the first time at noon."""
    sent = [NOON]
    while (again_at := next_try_at(NOON, sent[-1], tries=len(sent), event_id=event_id)) is not None:
        sent.append(again_at)
    return sent


@given(ids)
def test_what_is_never_taken_is_sent_more_and_more_rarely_and_no_longer_than_three_days(event_id: str) -> None:
    """Each gap is that of the table, and up to a quarter more; the last day still has some tries."""
    sent = tries_of(event_id)
    gaps_s = [(later - earlier).total_seconds() for earlier, later in pairwise(sent)]
    expected = [GAPS_S[min(index, len(GAPS_S) - 1)] for index in range(len(gaps_s))]
    assert all(low <= gap <= low * (1 + JITTER) for low, gap in zip(expected, gaps_s, strict=True))
    assert NOON + LIFETIME - timedelta(hours=10) < sent[-1] < NOON + LIFETIME
    assert 14 <= len(sent) <= 20


@given(ids, ids, st.integers(min_value=1, max_value=50))
def test_what_failed_together_does_not_come_again_together(one: str, other: str, tries: int) -> None:
    """And the same event is always due at the same instant: nothing has to be remembered."""
    first = next_try_at(NOON, NOON, tries=tries, event_id=one)
    assert first == next_try_at(NOON, NOON, tries=tries, event_id=one)
    if one != other:
        assert first != next_try_at(NOON, NOON, tries=tries, event_id=other)


@given(ids, st.integers(min_value=-5, max_value=500), st.floats(min_value=0, max_value=1e12))
def test_a_receiver_may_ask_for_more_time_but_not_for_ever(event_id: str, tries: int, told_s: float) -> None:
    """Nor for less."""
    gap = next_try_at(NOON, NOON, tries=tries, event_id=event_id)
    told = next_try_at(NOON, NOON, tries=tries, event_id=event_id, told_s=told_s)
    assert gap is not None
    assert told is not None
    assert told == max(gap, NOON + timedelta(seconds=min(told_s, LONGEST_TOLD_S)))
    assert told > NOON


def test_what_is_older_than_three_days_is_not_sent_again() -> None:
    """Had it been made a moment later, it would be."""
    again = {"tries": 1, "event_id": "evt_1"}
    assert next_try_at(NOON, NOON + LIFETIME - timedelta(seconds=5), **again) is None  # type: ignore[arg-type]  # a mix of types
    assert next_try_at(NOON, NOON + LIFETIME - timedelta(seconds=7), **again) is not None  # type: ignore[arg-type]  # likewise


@given(st.integers(min_value=1, max_value=10_000))
def test_a_receiver_that_is_away_is_left_alone_for_longer_each_time(failures: int) -> None:
    """From a second to a minute."""
    assert rest_s(1) == 1
    assert rest_s(failures) <= rest_s(failures + 1) <= LONGEST_REST_S
    assert rest_s(100) == LONGEST_REST_S
