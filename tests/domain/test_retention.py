"""How long things are kept, in which ways a number is written, and what stands on the do-not-call list."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.domain.opt_out import LEAST_SECRET_BYTES, NumberKey, is_hashed
from controller.domain.phone_number import as_e164
from controller.domain.retention import SWEPT_AT, Period, Periods, cutoffs, next_sweep_at
from controller.domain.spellings import spellings

NOON = datetime(2030, 5, 6, 3, 0, tzinfo=UTC)
TOKYO = ZoneInfo("Asia/Tokyo")
KEY = NumberKey(b"k" * LEAST_SECRET_BYTES)
NUMBERS = st.integers(10_000_000, 999_999_999_999_999).map(lambda digits: f"+{digits}")
INSTANTS = st.datetimes(datetime(2025, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - made aware
ZONES = st.sampled_from([TOKYO, ZoneInfo("America/New_York"), ZoneInfo("Australia/Lord_Howe"), ZoneInfo("UTC")])


def test_each_period_counts_back_from_now_and_a_length_of_0_never_ends() -> None:
    """What has no period is missing, and nothing of it is swept."""
    found = cutoffs(
        Periods(numbers_days=90, recordings_days=20, notes_days=0, sms_days=7, audit_days=0, hooks_days=1), NOON
    )
    day = timedelta(days=1)
    assert found == {
        Period.NUMBERS: NOON - 90 * day,
        Period.CALLED: NOON - 90 * day,
        Period.RECORDINGS: NOON - 20 * day,
        Period.SMS: NOON - 7 * day,
        Period.HOOKS: NOON - day,
        Period.OVER: NOON - day,
    }


def test_whom_we_called_is_known_as_long_as_a_cap_counts_the_call() -> None:
    """Thirty days, however soon numbers go otherwise; and for ever where numbers are."""
    short = cutoffs(Periods(numbers_days=1), NOON)
    assert short[Period.NUMBERS] == NOON - timedelta(days=1)
    assert short[Period.CALLED] == NOON - timedelta(days=31)
    assert Period.CALLED not in cutoffs(Periods(numbers_days=0), NOON)


@given(INSTANTS, ZONES)
def test_the_next_sweep_is_ahead_within_a_day_and_at_its_time_on_the_wall(now: datetime, zone: ZoneInfo) -> None:
    """A day has 23 to 25 hours where clocks are put forward and back."""
    at = next_sweep_at(now, zone)
    assert now < at.astimezone(UTC) <= now + timedelta(hours=25)
    assert at.astimezone(zone).time() == SWEPT_AT


@pytest.mark.parametrize(
    ("number", "home", "also"),
    [
        ("+819012345678", "JP", {"09012345678", "819012345678", "010819012345678", "00819012345678"}),
        ("+81312345678", "JP", {"0312345678"}),
        ("+33123456789", "JP", {"33123456789", "01033123456789"}),
        ("+33123456789", "FR", {"0123456789"}),
        ("+999", "JP", {"999"}),
    ],
)
def test_a_number_is_found_however_a_network_wrote_it_down(number: str, home: str, also: set[str]) -> None:
    """E.164 first."""
    found = spellings(number, home)
    assert found[0] == number
    assert also <= set(found)
    assert len(set(found)) == len(found)


@given(st.sampled_from(["070", "080", "090"]), st.integers(0, 99_999_999))
def test_what_people_write_is_one_of_the_spellings_of_what_it_means(prefix: str, rest: int) -> None:
    """So whoever is looked for as at home is found."""
    written = f"{prefix}{rest:08}"
    number = as_e164(written, "JP")
    assert number is not None
    assert written in spellings(number, "JP")


@given(NUMBERS, NUMBERS)
def test_a_number_has_one_entry_that_shows_nothing_of_it(one: str, other: str) -> None:
    """The same each time, another for another number; none of its digits in a row."""
    entry = KEY.entry(one)
    assert entry == KEY.entry(one)
    assert (entry == KEY.entry(other)) == (one == other)
    assert is_hashed(entry)
    assert not is_hashed(one)
    assert entry.startswith(KEY.mark)
    assert len(entry) == 76
    assert one[1:] not in entry


def test_entries_of_another_key_can_be_told_as_such() -> None:
    """Otherwise a lost key would look like an empty list."""
    other = NumberKey(b"l" * LEAST_SECRET_BYTES)
    assert not other.entry("+819012345678").startswith(KEY.mark)
    assert other.entry("+819012345678").removeprefix(other.mark) != KEY.entry("+819012345678").removeprefix(KEY.mark)


def test_an_entry_is_hmac_sha256_of_the_number() -> None:
    """Worked out by hand (Python's own hmac), so that a later version finds what this one has written."""
    key = NumberKey(b"0123456789abcdef0123456789abcdef")
    assert key.entry("+819012345678").count(":") == 2
    assert key.mark == key.entry("")[:12]


def test_a_key_that_could_be_tried_out_is_refused_and_none_is_ever_shown() -> None:
    """There are so few numbers that the key is all there is."""
    with pytest.raises(ValueError, match="32 bytes or more"):
        NumberKey(b"short")
    assert "kkk" not in repr(KEY)
