"""The words of the pages: each in both languages, none missing, none too many; and how times are written."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from string import Formatter
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

import controller.web
from controller.domain.promise import PromiseState
from controller.domain.slots import Slot
from controller.web import booking, pages, texts
from controller.web.house import LANGUAGES
from controller.web.shown import masked

WEB = Path(controller.web.__file__).parent
TEMPLATES = sorted((WEB / "templates").glob("*.html"))
TOKYO = ZoneInfo("Asia/Tokyo")
USED = re.compile(r"""\b(?:t|say|_word)\(\s*"([a-z_]+)\"""")
ELSEWHERE = (
    {"today", "tomorrow"}
    | {f"state_{state.value}" for state in PromiseState if state is not PromiseState.WAITING}
    | set(booking.FIELD_OF)
    | {"too_late", "what_to_do", "number_wrong", "code_wrong", "language_name"}
    | {word for name in (*pages.PROBLEMS.values(), "refused") for word in (name, f"{name}_title")}
)
"""Words that are named by a value."""


def fields_of(text: str) -> set[str]:
    """Return what is filled into a text."""
    return {field for _, field, _, _ in Formatter().parse(text) if field is not None}


@pytest.mark.parametrize("word", texts.WORDS)
def test_every_word_is_there_in_both_languages_with_the_same_fields(word: str) -> None:
    """And is not empty."""
    by_language = texts.WORDS[word]
    assert set(by_language) == set(LANGUAGES)
    assert all(text.strip() for text in by_language.values())
    assert len({frozenset(fields_of(text)) for text in by_language.values()}) == 1


def test_every_word_that_is_used_is_there_and_every_word_is_used() -> None:
    """In templates, and in the code that picks one."""
    used = set(ELSEWHERE)
    for path in [*TEMPLATES, *WEB.glob("*.py")]:
        used |= set(USED.findall(path.read_text("utf-8")))
    assert used == set(texts.WORDS)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_template_has_words_of_its_own_a_script_or_anything_from_elsewhere(path: Path) -> None:
    """Words in a template would be in one language; markup that is marked as safe is not escaped."""
    text = path.read_text("utf-8")
    assert re.search(r"[぀-ヿ一-鿿]", text) is None
    assert re.search(r"<script|\son[a-z]+=|style=|javascript:|https?:|//|\|\s*safe|autoescape|Markup", text) is None


@pytest.mark.parametrize(
    ("starts_at", "minutes", "ja", "en"),
    [
        ("2026-11-24T07:00", 30, "11月24日(火) 16:00〜16:30", "Tue 24 November, 16:00 to 16:30"),
        ("2026-11-23T15:00", 60, "11月24日(火) 00:00〜01:00", "Tue 24 November, 00:00 to 01:00"),
        ("2026-12-31T14:30", 30, "12月31日(木) 23:30〜24:00", "Thu 31 December, 23:30 to 24:00"),
        ("2026-12-31T14:30", 90, "12月31日(木) 23:30〜01:00", "Thu 31 December, 23:30 to 01:00"),
        ("2026-02-28T21:05", 5, "3月1日(日) 06:05〜06:10", "Sun 1 March, 06:05 to 06:10"),
    ],
)
def test_a_window_is_written_on_the_clock_of_its_queue(starts_at: str, minutes: int, ja: str, en: str) -> None:
    """In UTC it stands in the database, in Tokyo on the page."""
    start = datetime.fromisoformat(starts_at).replace(tzinfo=UTC)
    window = Slot(start, start + timedelta(minutes=minutes))
    assert (texts.told_window(window, "ja", TOKYO), texts.told_window(window, "en", TOKYO)) == (ja, en)


@given(st.dates(date(2020, 1, 1), date(2040, 12, 31)))
def test_a_day_has_its_weekday(day: date) -> None:
    """Found a second time by strftime, in English."""
    assert texts.told_day(day, "en") == f"{day:%a} {day.day} {day:%B}"
    assert "月火水木金土日".index(texts.told_day(day, "ja")[-2]) == day.weekday()


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("ja", "ja"),
        ("ja-JP", "ja"),
        ("JA", "ja"),
        ("en-GB,en;q=0.9,ja;q=0.8", "en"),
        ("de, ja;q=0.3, en;q=0.2", "ja"),
        ("de, ja;q=0.3, en;q=0.9", "en"),
        ("ja;q=0, en;q=0.1", "en"),
        ("ja;q=nonsense, en;q=0.1", "en"),
        ("ja;q=٣", "en"),
        ("de;q=1, fr", "en"),
        ("ja;q=99", "ja"),
        (";;;,,,q=1", "en"),
    ],
)
def test_the_language_is_the_one_that_the_browser_likes_best(header: str, language: str) -> None:
    """English for whoever says nothing that we can use."""
    assert texts.accepted(header) == language


@given(st.text(max_size=300))
def test_whatever_a_browser_says_of_languages_is_answered_in_one_of_ours(header: str) -> None:
    """Nothing is raised."""
    assert texts.accepted(header) in LANGUAGES


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("+819012345678", "090-****-5678"),
        ("+81312345678", "03-****-5678"),
        ("+815012345678", "050-****-5678"),
        ("+16502530000", "(650) ***-0000"),
        ("+999", "+***"),
        ("+99912345", "+******45"),
    ],
)
def test_a_number_is_known_to_its_owner_alone(number: str, shown: str) -> None:
    """Its beginning and its last four digits."""
    assert masked(number, "JP") == shown


@given(st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True))
def test_of_every_number_three_digits_or_more_are_hidden(number: str) -> None:
    """And no more than seven are shown."""
    shown = masked(number, "JP")
    assert sum(sign.isdecimal() for sign in shown) <= 7
    assert shown.count("*") >= 3
