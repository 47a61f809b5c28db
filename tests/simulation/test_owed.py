"""The judge reads what callers hear as a caller would: numbers, and windows in both languages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.journeys import spoken
from tests.simulation.owed import e164, spoken_start

TOKYO = ZoneInfo("Asia/Tokyo")


@pytest.mark.parametrize(
    ("shown", "meant"),
    [
        ("09012345678", "+819012345678"),
        ("+819012345678", "+819012345678"),
        ("18409012345678", "+819012345678"),
        ("18609012345678#", "+819012345678"),
        (None, None),
        ("110", None),
        ("", None),
    ],
)
def test_a_number_is_what_the_network_means_by_it(shown: str | None, meant: str | None) -> None:
    """With its hiding prefix, or abroad, or keyed."""
    assert e164(shown) == meant


@given(
    heard_at=st.datetimes(datetime(2027, 1, 1), datetime(2028, 12, 31)),  # noqa: DTZ001 - made aware below
    later=st.integers(0, 6 * 24 * 60),
    language=st.sampled_from(["ja", "en"]),
    zone=st.sampled_from(["Asia/Tokyo", "America/New_York", "Europe/Paris", "Australia/Lord_Howe"]),
)
def test_a_window_that_is_told_is_the_window_that_is_understood(
    heard_at: datetime, later: int, language: str, zone: str
) -> None:
    """To the minute, in both languages; of an hour that comes twice, the first."""
    clock = ZoneInfo(zone)
    heard = heard_at.replace(tzinfo=UTC)
    start = (heard + timedelta(minutes=later)).astimezone(clock).replace(second=0, microsecond=0)
    told = spoken.window(start, start + timedelta(minutes=30), heard.astimezone(clock).date(), language)
    understood = spoken_start(told, heard, clock)
    assert understood is not None
    assert understood.replace(tzinfo=None) == start.replace(tzinfo=None)


def test_words_that_tell_no_time_are_no_window() -> None:
    """Somebody hung up in the middle."""
    assert spoken_start(["today", "am"], datetime(2027, 1, 1, tzinfo=UTC), TOKYO) is None
