"""PINs: which are refused, how they are kept, and that guessing comes to an end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from controller.domain.pin import (
    FREE_GUESSES,
    LONGEST_LOCK_S,
    DamagedPinHashError,
    Guesses,
    PinRefusal,
    hashed,
    lock_s,
    matches,
    refusal,
)

NOON = datetime(2026, 4, 1, 3, tzinfo=UTC)
OWN = ("agent-1", "desk-2001")
SALT = bytes(range(16))
PINS = st.text("0123456789", min_size=4, max_size=8)


@pytest.mark.parametrize(
    ("pin", "why"),
    [
        ("", PinRefusal.LENGTH),
        ("837", PinRefusal.LENGTH),
        ("837162950", PinRefusal.LENGTH),
        ("83a1", PinRefusal.LENGTH),
        ("8371 ", PinRefusal.LENGTH),
        ("８３７１", PinRefusal.LENGTH),  # digits, but not those of a keypad
        ("+8371", PinRefusal.LENGTH),
        ("0000", PinRefusal.EQUAL),
        ("77777777", PinRefusal.EQUAL),
        ("0123", PinRefusal.RUN),
        ("4321", PinRefusal.RUN),
        ("23456789", PinRefusal.RUN),
        ("7890", PinRefusal.RUN),
        ("1098", PinRefusal.RUN),
        ("2001", PinRefusal.EXTENSION),
        ("72001", PinRefusal.EXTENSION),
        ("8371", None),
        ("83716295", None),
        ("1235", None),
        ("1010", None),
        ("1131", None),  # "agent-1" has only one digit, which is in every third PIN
    ],
)
def test_a_pin_that_anybody_would_try_first_is_refused(pin: str, why: PinRefusal | None) -> None:
    """And one that is none."""
    assert refusal(pin, own=OWN) is why


@given(st.text(max_size=12))
def test_only_four_to_eight_digits_of_a_keypad_pass(text: str) -> None:
    """Whatever else is read from a file or a keyboard."""
    if refusal(text) is None:
        assert 4 <= len(text) <= 8
        assert set(text) <= set("0123456789")
        assert len(set(text)) > 1


@settings(max_examples=8, deadline=None, phases=[Phase.generate])  # a hash takes its time; nothing to shrink
@given(
    st.from_regex(r"[0-9]{4,8}", fullmatch=True),
    st.from_regex(r"[0-9]{4,8}", fullmatch=True),
    st.binary(min_size=16, max_size=16),
)
def test_a_pin_matches_what_was_kept_of_it_and_no_other_does(pin: str, other: str, salt: bytes) -> None:
    """Also with leading zeros."""
    kept = hashed(pin, salt)
    assert matches(pin, kept)
    assert matches(other, kept) is (other == pin)
    assert not matches("", kept)


def test_what_is_kept_shows_neither_the_pin_nor_that_two_agents_have_the_same_one() -> None:
    """A salt of its own for each."""
    one, other = hashed("8371", SALT), hashed("8371", bytes(16))
    assert one != other
    assert "8371" not in one.removeprefix("scrypt$16384$8$1$")
    assert one.startswith(f"scrypt$16384$8$1${SALT.hex()}$")


@pytest.mark.parametrize(
    "kept",
    [
        "",
        "8371",
        "scrypt$16384$8$1$00",
        f"bcrypt$16384$8$1${SALT.hex()}${'0' * 64}",
        f"scrypt$16383$8$1${SALT.hex()}${'0' * 64}",  # scrypt's cost is a power of two
        f"scrypt$262144$8$1${SALT.hex()}${'0' * 64}",
        f"scrypt$131072$99$1${SALT.hex()}${'0' * 64}",
        f"scrypt$16384$8$1${SALT.hex()}${'0' * 64}\n",
    ],
)
def test_a_damaged_hash_lets_nobody_in_and_says_so(kept: str) -> None:
    """It is not taken for a wrong PIN: somebody has to mend it."""
    with pytest.raises(DamagedPinHashError):
        matches("8371", kept)


def test_the_third_wrong_pin_in_a_row_locks_for_a_quarter_of_an_hour_and_each_further_one_twice_as_long() -> None:
    """Up to a day."""
    assert [lock_s(wrong) / 60 for wrong in range(12)] == [0, 0, 0, 15, 30, 60, 120, 240, 480, 960, 1440, 1440]
    assert lock_s(10_000) == LONGEST_LOCK_S


@given(st.lists(st.floats(0, 200_000), max_size=30))
def test_whoever_guesses_as_often_as_they_may_gets_no_further_than_the_table_allows(pauses_s: list[float]) -> None:
    """At any pace: between two guesses that were looked at there is the whole lock."""
    now, guesses, looked_at = NOON, Guesses(), list[datetime]()
    for pause_s in pauses_s:
        now += timedelta(seconds=pause_s)
        if not guesses.is_locked(now):
            guesses = guesses.after_wrong(now)
            looked_at.append(now)
    for wrong, (before, after) in enumerate(pairwise(looked_at), start=1):
        assert (after - before).total_seconds() >= lock_s(wrong)
    assert guesses.wrong == len(looked_at)
    assert len(looked_at) >= min(len(pauses_s), FREE_GUESSES + 1)


def test_a_lock_ends_on_the_second() -> None:
    """Locked until then, and no longer."""
    locked = Guesses(2).after_wrong(NOON)
    until = NOON + timedelta(minutes=15)
    assert locked == Guesses(3, until)
    assert locked.is_locked(until - timedelta(microseconds=1))
    assert not locked.is_locked(until)
    assert not Guesses(2).is_locked(NOON)
