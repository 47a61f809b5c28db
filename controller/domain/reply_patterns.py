"""Reads a reply by SMS into tokens: from left to right, once, the longest phrase first.

What the vocabulary lacks is `Word.UNKNOWN`, and ends the reading: nobody guesses around a word that was not understood.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from functools import cache

from controller.domain.reply_spelling import flat, folded
from controller.domain.reply_vocabulary import Clock, Date, InDays, Later, Number, Token, Word, phrases

_Read = Callable[["re.Match[str]"], Token]

_NOON, _LAST_HOUR = 12, 23
_N = "([0-9]{1,2})"
_END = "(?![a-z])"
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    "(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    "|nov(?:ember)?|dec(?:ember)?)"
)
_CALLS = "(?:[御ごお]?(?:電話|連絡|予約)|折り?返し|おりかえし|でんわ|架電)"
_MESSAGES = "(?:配信|はいしん|送信|受信|着信|通知|sms|ショートメール|ショートメッセージ|メール|メッセージ|登録)"
_ANY = f"(?:(?:{_CALLS}|{_MESSAGES})[のをはも]? ?)"
_SO_FAR = "(?:(?:もう|今後は?|二度と) ?)"
_NOT_DENIED = "(?! ?(?:し|は)*な)"
"""Not 停止しないで, キャンセルはしない."""
_FINE = "(?:大丈夫|いい|良い|よい|結構)"
_NOT_NEEDED = "(?:不要|(?:要|い)りません|(?:要|い)らない|必要ありません|必要ない)"

_STOP = (
    rf"{_ANY}{{0,3}}(?:停止|ていし|ストップ){_NOT_DENIED}|(?:{_MESSAGES}[のをはも]? ?){{1,3}}(?:解除|拒否){_NOT_DENIED}"
    rf"|(?:stop ?all|stop|unsubscribe|opt ?out){_END}"
)
_NO_MORE = (
    rf"{_SO_FAR}?{_ANY}{{0,2}}(?:[掛か]け(?:てこ)?ないで|送(?:ってこ|ら)ないで|(?:やめ|止め|辞め|とめ)て)"
    rf"|(?:{_SO_FAR}{_ANY}?|{_ANY})し(?:てこ)?ないで"
    rf"|{_SO_FAR}?{_MESSAGES}[はも]? ?{_NOT_NEEDED}"
    r"|(?:(?:dont|do not|never) (?:ever )?(?:call|text|contact|phone|message|ring)(?: me)?|leave me alone"
    r"|no more (?:calls|texts|messages|sms)|(?:remove|take) me(?: (?:from|off) (?:the|your|this) list)?"
    rf"|quit|end|revoke){_END}"
)
_CANCEL = (
    rf"(?:キャンセル|取り?消(?:して|し)?|とりけし|取り?やめ(?:て|ます)?|中止){_NOT_DENIED}|もう{_FINE}"
    rf"|{_SO_FAR}?(?:{_CALLS}[はも]? ?)?{_NOT_NEEDED}|{_CALLS}は?結構"
    rf"|{_SO_FAR}?{_CALLS}[はも]? ?(?:し|かけ|いただか|もらわ)なくて(?:も)?{_FINE}"
    r"|(?:もう ?)?解決(?:しました|した|済み|ずみ)?"
    r"|(?:cancel(?: (?:it|that|this))?|no longer (?:needed|necessary)|not needed(?: any ?more)?|no need|never ?mind"
    rf"|no thanks|no thank you|solved|resolved){_END}"
)


def _clock(hour: str, minute: str | None = None) -> Token:
    """Return a time of day: 16:00 on a face of 24 hours, as 04:00 is; 4:00 can be either."""
    value = int(hour)
    if value > _LAST_HOUR:
        return Word.UNKNOWN
    return Clock(value, int(minute or 0), is_open=1 <= value <= _NOON and hour[0] != "0")


def _half_day_clock(found: re.Match[str]) -> Token:
    """Return 4 pm, 4:30pm; also 16:00 pm, as some write it."""
    hour, minute, is_pm = int(found[1]), int(found[2] or 0), found[3] == "p"
    if 1 <= hour <= _NOON:
        return Clock(hour % _NOON + _NOON * is_pm, minute)
    return Clock(hour, minute) if is_pm and _NOON < hour <= _LAST_HOUR else Word.UNKNOWN


def _later(found: re.Match[str]) -> Token:
    hours, half, minutes, alone = found.groups()
    return Later(timedelta(hours=int(hours or 0), minutes=int(minutes or 0) + int(alone or 0) + (30 if half else 0)))


def _later_in_english(found: re.Match[str]) -> Token:
    count, unit = found[1] or found[3], found[2] or found[4]
    number = int(count) if count.isdecimal() else 1
    if unit.startswith("d"):
        return InDays(number) if not count.startswith("half") else Word.UNKNOWN
    whole = timedelta(hours=number) if unit.startswith("h") else timedelta(minutes=number)
    return Later(whole / 2 if count.startswith("half") else whole)


def _month(name: str) -> int:
    return _MONTHS.index(name[:3]) + 1


_AMOUNT = r"(half an?|an?|[0-9]{1,3}) ?(hours?|hrs?|minutes?|mins?|days?)"
_SPAN = rf"(?:{_N} ?時間 ?(半)?(?: ?{_N} ?分)?|([0-9]{{1,3}}) ?分)"
_READERS: tuple[tuple[str, _Read], ...] = (
    (rf"(?:(?:今|いま)から ?)?{_SPAN} ?(?:後|のち|ご(?!ろ))", _later),
    (rf"(?:あと|後) ?{_SPAN}(?:後)?(?![前以内])", _later),
    (rf"(?:in|after) {_AMOUNT}{_END}(?: from now)?|{_AMOUNT} (?:later|from now){_END}", _later_in_english),
    (rf"{_N} ?日後", lambda found: InDays(int(found[1]))),
    (
        rf"([0-9]{{4}}) ?[年/] ?{_N} ?[月/] ?{_N}(?: ?日|(?![0-9/:]))",
        lambda found: Date(int(found[3]), int(found[2]), int(found[1])),
    ),
    (rf"{_N} ?月 ?{_N}(?: ?日|(?! ?[0-9:時]))", lambda found: Date(int(found[2]), int(found[1]))),
    (rf"{_N}/{_N}(?![0-9/:])", lambda found: Date(int(found[2]), int(found[1]))),
    (rf"{_N} ?日(?![後間中])", lambda found: Date(int(found[1]))),
    (rf"{_N}(?:st|nd|rd|th)? ?(?:of )?{_MONTH}{_END}", lambda found: Date(int(found[1]), _month(found[2]))),
    (rf"{_MONTH} {_N}(?:st|nd|rd|th)?(?![0-9a-z:])", lambda found: Date(int(found[2]), _month(found[1]))),
    (rf"{_N}(?:st|nd|rd|th){_END}", lambda found: Date(int(found[1]))),
    (rf"{_N}(?:[:.]([0-5][0-9]))? ?([ap])m{_END}", _half_day_clock),
    (rf"{_N} ?[時じ] ?(?:半|はん)", lambda found: _clock(found[1], "30")),
    (
        rf"{_N} ?[時じ](?! ?間) ?(?:([0-5]?[0-9]) ?分|([0-5][0-9])(?![0-9/:]))?",
        lambda found: _clock(found[1], found[2] or found[3]),
    ),
    (rf"{_N}:([0-5][0-9])(?![0-9:])", lambda found: _clock(found[1], found[2])),
    (rf"{_N} ?oclock{_END}", lambda found: _clock(found[1])),
    (rf"half past {_N}(?![0-9:])", lambda found: _clock(found[1], "30")),
    (r"([0-9]{1,2})(?![0-9])(?: ?番)?", lambda found: Number(int(found[1]))),
    (_STOP, lambda _: Word.STOP),
    (_NO_MORE, lambda _: Word.NO_MORE),
    (_CANCEL, lambda _: Word.CANCEL),
)
_LETTERS = re.compile(r"[a-z]\Z")


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], _Read], ...]:
    return tuple((re.compile(folded(pattern)), read) for pattern, read in _READERS)


@cache
def _fixed() -> re.Pattern[str]:
    """Return the pattern of all fixed phrases, the longest first."""
    return re.compile(
        "|".join(
            re.escape(phrase) + (_END if _LETTERS.search(phrase) else "")
            for phrase in sorted(phrases(), key=lambda phrase: (-len(phrase), phrase))
        )
    )


def tokens(text: str) -> list[Token]:
    """Return what a text is made of, without what changes nothing; never raises. It ends at the first unknown word."""
    plain, at = flat(text), 0
    found: list[Token] = []
    while at < len(plain):
        if plain[at] == " ":
            at += 1
            continue
        length, read = _longest(plain, at)
        found += read
        at += length
        if Word.UNKNOWN in read:
            break
    return found


def _longest(plain: str, at: int) -> tuple[int, tuple[Token, ...]]:
    """Return the length of the longest phrase that stands at a place, and its tokens."""
    fixed = _fixed().match(plain, at)
    length, read = (len(fixed[0]), phrases()[fixed[0]]) if fixed else (1, (Word.UNKNOWN,))
    for pattern, reader in _patterns():
        found = pattern.match(plain, at)
        if found and (len(found[0]) > length or fixed is None):
            length, read, fixed = len(found[0]), (reader(found),), found
    return length, read
