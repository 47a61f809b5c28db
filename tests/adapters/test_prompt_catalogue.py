"""The catalogue of prompts and its readings, against tables that were written by hand."""

from __future__ import annotations

import re

from controller.journeys import prompts
from tests.adapters.prompt_workshop import CATALOGUE, PROMPTS

ROWS = {row[0]: row for row in CATALOGUE[1:]}
READINGS = dict(line.split("\t") for line in (PROMPTS / "readings-ja.tsv").read_text(encoding="utf-8").splitlines()[1:])
KEYS = {"digit-plus", "digit-star", "digit-pound"}
EXAMPLES = {"menu-main", "menu-more", "menu-english", "menu-japanese", "message-moved"}
"""A menu's own texts: only settings that name them need them, and there may be more."""

TENS = ("", "ジュー", "ニジュー", "サンジュー", "ヨンジュー", "ゴジュー", "ロクジュー")
MINUTES = {
    1: "イップン", 2: "ニフン", 3: "サンプン", 4: "ヨンプン", 5: "ゴフン",
    6: "ロップン", 7: "ナナフン", 8: "ハップン", 9: "キューフン", 10: "ジュップン",
}  # fmt: skip
PLACES = {
    1: "イチバンメ", 2: "ニバンメ", 3: "サンバンメ", 4: "ヨンバンメ", 5: "ゴバンメ",
    6: "ロクバンメ", 7: "ナナバンメ", 8: "ハチバンメ", 9: "キューバンメ", 10: "ジューバンメ",
}  # fmt: skip
MONTHS = (
    "イチガツ ニガツ サンガツ シガツ ゴガツ ロクガツ シチガツ ハチガツ クガツ ジューガツ ジューイチガツ ジューニガツ"
)
DAYS = """
ツイタチ フツカ ミッカ ヨッカ イツカ ムイカ ナノカ ヨーカ ココノカ トーカ
ジューイチニチ ジューニニチ ジューサンニチ ジューヨッカ ジューゴニチ
ジューロクニチ ジューシチニチ ジューハチニチ ジュークニチ ハツカ
ニジューイチニチ ニジューニニチ ニジューサンニチ ニジューヨッカ ニジューゴニチ
ニジューロクニチ ニジューシチニチ ニジューハチニチ ニジュークニチ サンジューニチ サンジューイチニチ
"""
HOURS = "レージ イチジ ニジ サンジ ヨジ ゴジ ロクジ シチジ ハチジ クジ ジュージ ジューイチジ"
WEEKDAYS = "ゲツヨービ カヨービ スイヨービ モクヨービ キンヨービ ドヨービ ニチヨービ"
WORDS = {
    "am": "ゴゼン", "pm": "ゴゴ", "noon": "ショーゴ", "today": "ホンジツ", "tomorrow": "ミョーニチ",
    "later-day": "ミョーゴニチイコー", "from": "カラ", "to": "マデ", "wait-to": "カラ", "clock-30": "ハン",
    "place-after": "デス", "wait-after": "デス", "wait-most-after": "イナイデス", "opens-after": "デス",
}  # fmt: skip
PRESSED = ("イチ", "ニ", "サン", "ヨン", "ゴ", "ロク", "ナナ", "ハチ", "キュー")

ENGLISH = """
one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
nineteen twenty twenty-one twenty-two twenty-three twenty-four twenty-five twenty-six twenty-seven twenty-eight
twenty-nine thirty thirty-one thirty-two thirty-three thirty-four thirty-five thirty-six thirty-seven thirty-eight
thirty-nine forty forty-one forty-two forty-three forty-four forty-five forty-six forty-seven forty-eight forty-nine
fifty fifty-one fifty-two fifty-three fifty-four fifty-five fifty-six fifty-seven fifty-eight fifty-nine sixty
"""
ENGLISH_DAYS = """
first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth
sixteenth seventeenth eighteenth nineteenth twentieth twenty-first twenty-second twenty-third twenty-fourth
twenty-fifth twenty-sixth twenty-seventh twenty-eighth twenty-ninth thirtieth thirty-first
"""
ENGLISH_MONTHS = "January February March April May June July August September October November December"


def counted(kind: str, words: str, start: int = 1) -> dict[str, str]:
    """Return {`kind`-`start`: the first word, ...}."""
    return {f"{kind}-{value}": word for value, word in enumerate(words.split(), start)}


def composed(kind: str, ones: dict[int, str]) -> dict[str, str]:
    """Return the readings of 1 to 60: the tens as they are alone, then the ones; a round ten changes its end."""
    readings = {}
    for value in range(1, 61):
        tens, one = divmod(value, 10)
        # ジュップン: the counter's own ten follows what is before it.
        readings[f"{kind}-{value}"] = TENS[tens] + ones[one] if one else TENS[tens].removesuffix("ジュー") + ones[10]
    return readings


def texts(kind: str) -> dict[str, str]:
    """Return the English texts of a kind of word."""
    return {name: row[1] for name, row in ROWS.items() if name.startswith(f"{kind}-") and name in prompts.WORDS}


def test_the_catalogue_has_every_prompt_of_a_call_and_no_other_in_every_language() -> None:
    """A missing one is silence, or an English voice on a Japanese call; one too many is work for a translator."""
    assert CATALOGUE[0][:3] == ["id", "en", "ja"]
    assert len(ROWS) == len(CATALOGUE) - 1
    assert all(len(row) == len(CATALOGUE[0]) and all(cell.strip() for cell in row) for row in CATALOGUE)
    assert set(ROWS) >= prompts.ALL | KEYS | EXAMPLES
    others = set(ROWS) - prompts.ALL - KEYS
    assert others >= EXAMPLES
    assert all(name.startswith(("menu-", "message-")) for name in others)


def test_a_prompt_has_one_name_in_the_catalogue_and_in_the_code() -> None:
    """Capitals, and `_` in place of `-`; PAUSE alone has a name of its own."""
    named = {name: value for name, value in vars(prompts).items() if name.isupper() and isinstance(value, str)}
    assert {name: value.upper().replace("-", "_") for name, value in named.items() if name != "PAUSE"} == {
        name: name for name in named if name != "PAUSE"
    }
    assert set(named.values()) | prompts.WORDS == prompts.ALL


def test_every_text_of_the_japanese_voice_has_its_reading_in_order() -> None:
    """In kana. That they are the engine's own is for those tests to say that have the engine."""
    assert list(READINGS) == [name for name, row in ROWS.items() if not row[2].startswith("[")]
    assert all(re.fullmatch("[ァ-ヺー、]+", reading) for reading in READINGS.values())


def test_what_is_counted_in_japanese_is_read_as_people_say_it() -> None:
    """Every reading of a counter changes with its number: 3月 さんがつ, 4時 よじ, 10分 じゅっぷん, 20日 はつか."""
    minutes = composed("minute", MINUTES)
    clock = {name.replace("minute", "clock"): kana for name, kana in minutes.items() if name != "minute-60"}
    expected = (
        minutes
        | clock
        | composed("place", PLACES)
        | counted("month", MONTHS)
        | counted("day", DAYS)
        | counted("hour", HOURS, start=0)
        | {f"press-{key}": f"ヲゴキボーノバアイワ、{kana}ヲオシテクダサイ" for key, kana in enumerate(PRESSED, 1)}
        | {f"weekday-{name}": kana for name, kana in zip(prompts.WEEKDAYS, WEEKDAYS.split(), strict=True)}
        | counted("digit", "ゼロ イチ ニー サン ヨン ゴー ロク ナナ ハチ キュー", start=0)
    )
    assert expected.keys() == prompts.WORDS
    expected |= WORDS
    assert {name: READINGS[name] for name in expected} == expected
    assert [READINGS[f"minute-{value}"] for value in (10, 20, 44, 58, 60)] == [
        "ジュップン",
        "ニジュップン",
        "ヨンジューヨンプン",
        "ゴジューハップン",
        "ロクジュップン",
    ]


def test_what_is_counted_in_english_is_written_as_people_say_it() -> None:
    """Words, not figures: a voice reads figures as it likes."""
    numbers = ENGLISH.split()
    assert len(numbers) == 60
    assert texts("place") == counted("place", ENGLISH)
    assert texts("minute") == {
        f"minute-{value}": f"{word} minute{'s' * (value > 1)}" for value, word in enumerate(numbers, 1)
    }
    assert texts("clock") == {
        f"clock-{value}": f"oh {word}" if value < 10 else word for value, word in enumerate(numbers[:59], 1)
    }
    assert texts("hour") == counted("hour", f"twelve {' '.join(numbers[:11])}", start=0)
    assert texts("day") == counted("day", ENGLISH_DAYS)
    assert texts("month") == counted("month", ENGLISH_MONTHS)
    assert [text.lower()[:3] for text in texts("weekday").values()] == list(prompts.WEEKDAYS)
    assert texts("press") == {f"press-{key}": f"press {word}." for key, word in enumerate(numbers[:9], 1)}


def test_a_word_ends_without_a_mark_and_a_sentence_with_one() -> None:
    """The mark decides how closely the next prompt follows."""
    row_of_words = prompts.WORDS - {f"press-{key}" for key in range(1, 10)} | set(WORDS) - {
        "place-after",
        "wait-after",
        "wait-most-after",
        "opens-after",
    }
    for name in row_of_words:
        assert not any(text.endswith((".", "。", "、", ",")) for text in ROWS[name][1:]), name
    before = {name for name in ROWS if name.endswith("-before")}
    assert all(not ROWS[name][1].endswith(".") and not ROWS[name][2].endswith("。") for name in before)
    for name in ROWS.keys() - row_of_words - before - KEYS - {prompts.PAUSE, prompts.AT, prompts.PROMISE_MOVED}:
        assert all(text.endswith((".", "。", ":", "?", " s]", "in line.")) for text in ROWS[name][1:]), name
