"""What is said in several prompts, over every value there is: all of it is in the catalogue, and means what was meant.

The sentences are put together from the catalogue's texts, and understood by listeners of their own: patterns that know
the languages and nothing of the code.
"""

from __future__ import annotations

import re
from calendar import day_name, month_name
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.journeys import prompts, spoken

CATALOGUE = Path(__file__).parents[2] / "asterisk-conf" / "prompts" / "catalogue.tsv"
TEXTS = {row[0]: row[1:] for row in (line.split("\t") for line in CATALOGUE.read_text(encoding="utf-8").splitlines())}
TOKYO = ZoneInfo("Asia/Tokyo")
TODAY = date(2026, 11, 22)
"""A Sunday."""
EVERY_MINUTE = [time(minute // 60, minute % 60) for minute in range(24 * 60)]
EVERY_DATE = [TODAY + timedelta(days=days) for days in range(4 * 366)]

FIGURES = {
    "oh": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
    "seventeen": 17, "eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60,
    "first": 1, "second": 2, "third": 3, "fifth": 5, "eighth": 8, "ninth": 9, "twelfth": 12, "twentieth": 20,
    "thirtieth": 30,
}  # fmt: skip


def said(words: list[str], language: str) -> str:
    """Return what a listener hears, pauses left out. Raises KeyError for a prompt that nobody would hear."""
    assert set(words) <= prompts.ALL
    column = TEXTS["id"].index(language)
    heard = [TEXTS[word][column] for word in words]
    return ("" if language == "ja" else " ").join(text for text in heard if not text.endswith(" s]"))


def figure(words: str) -> int:
    """Understand an English number: `oh five`, `twenty-third`."""
    return sum(FIGURES.get(word, FIGURES.get(word.removesuffix("th"), -1000)) for word in re.split("[ -]", words))


def english_time(words: str) -> time:
    """Understand an English time."""
    if words == "noon":
        return time(12)
    hour, minute, half = re.fullmatch(r"(\w+)(?: (.+))? ([AP]) M", words).groups()  # type: ignore[union-attr]
    return time(figure(hour) % 12 + 12 * (half == "P"), figure(minute) if minute else 0)


def japanese_time(words: str) -> time:
    """Understand a Japanese time."""
    if words == "正午":
        return time(12)
    found = re.fullmatch(r"(午前|午後)(零|\d+)時(?:(半)|(\d+)分)?", words)
    assert found, words
    half, hour, thirty, minute = found.groups()
    hours = 0 if hour == "零" else int(hour)
    assert hours < 12, words
    return time(hours + 12 * (half == "午後"), 30 if thirty else int(minute or 0))


def minutes_told(words: list[str]) -> tuple[float, float]:
    """Understand a wait in both languages, which have to agree: at least so many minutes, and at most."""
    patterns = {
        "en": r"The wait is now about (?:(?P<low>[\w-]+) minutes? to )?(?P<high>[\w-]+) minutes?"
        r"|The wait is now at most about (?P<most>[\w-]+) minutes?"
        r"|(?P<short>The wait is now about one minute, or less\.)|The wait may be more than one hour\.",
        "ja": r"ただいまの待ち時間は、およそ(?:(?P<low>\d+)分から)?(?P<high>\d+)分です。"
        r"|ただいまの待ち時間は、およそ(?P<most>[2-9]|\d\d)分以内です。"
        r"|(?P<short>ただいまの待ち時間は、およそ1分以内です。)|ただいまの待ち時間は、1時間を超えることがございます。",
    }
    understood = []
    for language, pattern in patterns.items():
        found = re.fullmatch(pattern, said(words, language))
        assert found, said(words, language)
        told = {
            name: int(text) if text.isdigit() else 1 if name == "short" else figure(text)
            for name, text in found.groupdict().items()
            if text
        }
        ends = (told.get("low", told.get("high", 0)), told.get("high", told.get("most", told.get("short", 0))))
        understood.append((ends[0], ends[1] or float("inf")))
    assert understood[0] == understood[1]
    return understood[0]


@given(st.lists(st.text("0123456789", min_size=1), min_size=1))
def test_a_number_is_read_digit_by_digit_with_a_pause_between_its_groups(groups: list[str]) -> None:
    """However it is printed."""
    for printed in ("-".join(groups), f"+{' '.join(groups)}", f"({')('.join(groups)})"):
        heard = "".join(word.removeprefix("digit-").replace("pause", "-") for word in spoken.number(printed))
        assert heard == "-".join(groups)


def test_a_place_is_told_as_a_sentence() -> None:
    """The next one, a number, or that there are many."""
    assert said(spoken.place(1), "en") == "You are next in line."
    assert said(spoken.place(1), "ja") == "次は、お客様の順番です。"
    for place in range(2, 61):
        found = re.fullmatch(r"You are number (\S+) in line\.", said(spoken.place(place), "en"))
        assert found
        assert figure(found[1]) == place
        assert said(spoken.place(place), "ja") == f"ただいまの順番は、{place}番目です。"
    for place in (61, 62, 1000):
        assert said(spoken.place(place), "en") == "There are at least sixty callers before you."
    for place in (0, -1):
        with pytest.raises(ValueError, match="no place"):
            spoken.place(place)


@pytest.mark.parametrize(
    ("low_s", "high_s", "english", "japanese"),
    [
        (0, 0, "now about one minute, or less.", "、およそ1分以内です。"),
        (0, 20, "now about one minute, or less.", "、およそ1分以内です。"),
        (59, 61, "now at most about two minutes", "、およそ2分以内です。"),
        (300, 300, "now about five minutes", "、およそ5分です。"),
        (310, 590, "now about five minutes to ten minutes", "、およそ5分から10分です。"),
        (719, 780, "now about ten minutes to fifteen minutes", "、およそ10分から15分です。"),
        (3000, 3600, "now about fifty minutes to sixty minutes", "、およそ50分から60分です。"),
    ],
)
def test_a_wait_is_told_as_a_sentence(low_s: float, high_s: float, english: str, japanese: str) -> None:
    """Rounded outwards: to a minute up to ten, above to five."""
    assert said(spoken.wait(low_s, high_s), "en") == f"The wait is {english}"
    assert said(spoken.wait(low_s, high_s), "ja") == f"ただいまの待ち時間は{japanese}"


def test_no_wait_is_told_narrower_than_it_is() -> None:
    """Every range up to 70 minutes by 25 s: what is heard holds it, and is at most 5 minutes wider at each end."""
    for low_s in range(0, 4200, 25):
        for high_s in range(low_s, 4200, 25):
            low_min, high_min = minutes_told(spoken.wait(low_s, high_s))
            assert low_min * 60 <= low_s
            assert high_s <= high_min * 60
            if high_s <= 3600:
                assert low_s - low_min * 60 < (60 if low_s < 660 else 300)
                assert high_min * 60 - high_s < (61 if high_s <= 600 else 300)
            else:
                assert high_min == float("inf")


def test_every_minute_of_the_day_is_understood_as_it_was_meant() -> None:
    """In the languages that there are, and in another one, which has the English order."""
    for at in EVERY_MINUTE:
        assert english_time(said(spoken.time_of_day(at, "en"), "en")) == at
        assert japanese_time(said(spoken.time_of_day(at, "ja"), "ja")) == at
        assert spoken.time_of_day(at, "fr") == spoken.time_of_day(at, "en")


@pytest.mark.parametrize(
    ("at", "english", "japanese"),
    [
        (time(0, 5), "twelve oh five A M", "午前零時5分"),
        (time(4), "four A M", "午前4時"),
        (time(9, 10), "nine ten A M", "午前9時10分"),
        (time(12), "noon", "正午"),
        (time(12, 30), "twelve thirty P M", "午後零時半"),
        (time(16, 30), "four thirty P M", "午後4時半"),
        (time(23, 59), "eleven fifty-nine P M", "午後11時59分"),
    ],
)
def test_a_time_is_said_as_people_say_it(at: time, english: str, japanese: str) -> None:
    """The half of the day comes last in English, first in Japanese."""
    assert said(spoken.time_of_day(at, "en"), "en") == english
    assert said(spoken.time_of_day(at, "ja"), "ja") == japanese


def test_every_day_is_understood_as_it_was_meant() -> None:
    """Today, tomorrow, and every other date of four years; a day that is over is called by its date."""
    for language, names in (("en", ("today", "tomorrow")), ("ja", ("本日", "みょうにち"))):
        assert [said(spoken.day(on, TODAY, language), language) for on in EVERY_DATE[:2]] == list(names)
    for on in [TODAY - timedelta(days=1), *EVERY_DATE[2:]]:
        weekday, month, ordinal = said(spoken.day(on, TODAY, "en"), "en").split(" ")
        assert (weekday, month, figure(ordinal)) == (day_name[on.weekday()], month_name[on.month], on.day)
        day = "ついたち" if on.day == 1 else f"{on.day}日"
        assert said(spoken.day(on, TODAY, "ja"), "ja") == f"{on.month}月{day}{'月火水木金土日'[on.weekday()]}曜日"


def test_a_moment_is_a_day_and_a_time() -> None:
    """As the next opening is told."""
    for at, english, japanese in (
        (datetime(2026, 11, 23, 9, tzinfo=TOKYO), "tomorrow at nine A M", "みょうにち午前9時"),
        (datetime(2026, 11, 24, 13, 30, tzinfo=TOKYO), "Tuesday November twenty-fourth at one thirty P M",
         "11月24日火曜日午後1時半"),
    ):  # fmt: skip
        assert said(spoken.moment(at, TODAY, "en"), "en") == english
        assert said(spoken.moment(at, TODAY, "ja"), "ja") == japanese


@pytest.mark.parametrize(
    ("start", "end", "english", "japanese"),
    [
        ("2026-11-23T16:00", "2026-11-23T17:00", "tomorrow from four P M to five P M", "みょうにち午後4時から午後5時"),
        ("2026-11-22T11:30", "2026-11-22T12:00", "today from eleven thirty A M to noon", "本日午前11時半から正午"),
        ("2026-12-01T09:00", "2026-12-01T09:15", "Tuesday December first from nine A M to nine fifteen A M",
         "12月ついたち火曜日午前9時から午前9時15分"),
        ("2026-11-22T23:30", "2026-11-23T00:30", "today from eleven thirty P M to tomorrow twelve thirty A M",
         "本日午後11時半からみょうにち午前零時半"),
    ],
)  # fmt: skip
def test_a_window_is_told_from_when_to_when(start: str, end: str, english: str, japanese: str) -> None:
    """Its end may come on another zone's clock; it is told on the clock of its start."""
    opens, closes = (datetime.fromisoformat(text).replace(tzinfo=TOKYO) for text in (start, end))
    for until in (closes, closes.astimezone(ZoneInfo("America/New_York"))):
        assert said(spoken.window(opens, until, TODAY, "en"), "en") == english
        assert said(spoken.window(opens, until, TODAY, "ja"), "ja") == japanese
        assert spoken.window(opens, until, TODAY, "zh_TW") == spoken.window(opens, until, TODAY, "en")


def test_every_sentence_around_a_time_is_whole_in_both_languages() -> None:
    """A slot that is booked or moved, a choice among slots, the next opening: as a caller hears them."""
    start = datetime(2026, 11, 23, 16, tzinfo=TOKYO)
    words = spoken.window(start, start + timedelta(hours=1), TODAY, "ja")
    assert said([prompts.SLOT_BEFORE, *words, prompts.SLOT_AFTER], "ja").startswith(
        "折り返しのお電話は、みょうにち午後4時から午後5時の間に、おかけいたします。"
    )
    assert "お電話は、みょうにち午後4時から午後5時の間に、おかけいたします。" in said(
        [prompts.PROMISE_MOVED, *words, prompts.SLOT_AFTER], "ja"
    )
    assert said([*words, "press-1"], "ja") == "みょうにち午後4時から午後5時をご希望の場合は、1を押してください。"
    opening = [prompts.OPENS_BEFORE, *spoken.moment(start, TODAY, "ja"), prompts.OPENS_AFTER]
    assert said(opening, "ja") == "次の営業開始は、みょうにち午後4時です。"
    words = spoken.window(start, start + timedelta(hours=1), TODAY, "en")
    assert said([prompts.SLOT_BEFORE, *words, prompts.SLOT_AFTER], "en") == (
        "We will call you tomorrow from four P M to five P M Thank you, and goodbye."
    )
    opening = [prompts.OPENS_BEFORE, *spoken.moment(start, TODAY, "en"), prompts.OPENS_AFTER]
    assert said(opening, "en") == "We open again tomorrow at four P M"


@given(number=st.from_regex(r"\+[1-9][0-9]{7,14}", fullmatch=True), waited_s=st.floats(-60, 1e6))
def test_a_whisper_has_the_last_four_digits_and_the_wait_to_the_minute(number: str, waited_s: float) -> None:
    """A listener who knows the words reads back what was meant; beyond an hour it is said that it is more."""
    words = spoken.whisper(number, waited_s)
    sentence = said(words, "en")
    figures = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    assert sentence.startswith("A callback. The number ends in")
    spelt = re.findall(r"ends in ((?:\w+ ){4})Waiting", sentence)[0].split()
    assert "".join(str(figures.index(word)) for word in spelt) == number[-4:]
    minutes = max(1, round(waited_s / 60))
    told = [int(word.removeprefix("minute-")) for word in words if word.startswith("minute-")]
    assert told == ([minutes] if minutes <= 60 else [])
    assert ("more than one hour" in sentence) is (minutes > 60)


@pytest.mark.parametrize("minutes", range(10, 100, 10))
def test_a_later_time_is_said_as_it_was_chosen(minutes: int) -> None:
    """In both languages: figures in Japanese, words in English."""
    assert said(spoken.later(minutes), "ja") == f"{minutes}分後に、おかけ直しいたします。"
    tens = ["ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
    assert said(spoken.later(minutes), "en") == f"We will call you in {tens[minutes // 10 - 1]} minutes."
