"""The rules of the card: how numbers are looked for, what is shown of the past, versions, and the way to a CRM."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.domain.card import Past, PastKind, crm_address, newest, next_version, spellings

NOON = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
TEMPLATE = "https://crm.example.jp/search?tel={number}&from=desk"
moments = st.integers(0, 1000).map(lambda s: NOON + timedelta(seconds=s))
lines = st.lists(st.builds(Past, at=moments, kind=st.sampled_from(PastKind), what=st.text(max_size=3)), max_size=40)


@given(lines, st.integers(1, 30))
def test_the_newest_lines_are_shown_newest_first_and_none_of_them_is_older_than_one_left_out(
    past: list[Past], limit: int
) -> None:
    """As many as are wanted, or all; and whether that is all."""
    shown, is_all = newest(past, limit)
    assert len(shown) == min(limit, len(past))
    assert is_all is (len(past) <= limit)
    assert [line.at for line in shown] == sorted((line.at for line in past), reverse=True)[:limit]
    assert all(line in past for line in shown)


@pytest.mark.parametrize(
    ("number", "found"),
    [
        ("+819012345678", ("+819012345678", "819012345678", "09012345678")),
        ("09012345678", ("+819012345678", "09012345678", "819012345678")),
        ("0312345678", ("+81312345678", "0312345678", "81312345678")),
        ("+14155552671", ("+14155552671", "14155552671")),
        ("110", ("110",)),
        ("anonymous", ("anonymous",)),
        ("", ()),
    ],
)
def test_a_number_is_looked_for_as_any_network_may_have_shown_it(number: str, found: tuple[str, ...]) -> None:
    """E.164 first, each spelling once; nothing for who withheld it."""
    assert spellings(number, "JP") == found


@given(st.text(max_size=40))
def test_whatever_a_caller_sends_as_a_number_each_spelling_is_once(number: str) -> None:
    """And none is empty: that would be everybody who withheld theirs."""
    found = spellings(number, "JP")
    assert len(found) == len(set(found))
    assert "" not in found
    assert (number in found) or not number


@given(moments, st.none() | moments)
def test_a_version_is_always_after_the_one_before(at: datetime, before: datetime | None) -> None:
    """Also where two changes come in the same microsecond, or the clock was set back."""
    version = next_version(at, before)
    assert before is None or version > before
    assert version >= at


@given(st.text(min_size=1, max_size=40))
def test_a_number_in_the_address_of_a_crm_stays_one_value_whatever_it_is(number: str) -> None:
    """It names no other parameter, host or path."""
    found = urlsplit(crm_address(TEMPLATE, number))
    assert (found.scheme, found.netloc, found.path, found.fragment) == ("https", "crm.example.jp", "/search", "")
    assert parse_qs(found.query, keep_blank_values=True, errors="surrogatepass") == {"tel": [number], "from": ["desk"]}


def test_there_is_no_way_to_a_crm_without_one_or_without_a_number() -> None:
    """Nothing is better than a search for nobody."""
    assert crm_address("", "+819012345678") == ""
    assert crm_address(TEMPLATE, "") == ""
