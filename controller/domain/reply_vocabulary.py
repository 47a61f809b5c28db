"""What a reply by SMS can be made of: the tokens, and the fixed phrases of both languages that stand for them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from functools import cache
from itertools import product
from typing import TYPE_CHECKING

from controller.domain.reply_spelling import flat

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import timedelta


class Word(Enum):
    """What stands for itself."""

    CONTEXT = auto()
    """Belongs to the matter and says nothing of it; only a bare digit means something else beside it."""
    NOW = auto()
    CALL_ME = auto()
    """Asks for the call, and says nothing of when."""
    CANCEL = auto()
    STOP = auto()
    """A keyword: first in a text it stops everything, whatever follows."""
    NO_MORE = auto()
    """Asks for the same in other words; clear only when nothing else is said."""
    AT = auto()
    """What follows is a time, also a bare number."""
    FROM = auto()
    """At this time or after it."""
    TO = auto()
    """Between the two ends of a window."""
    UNTIL = auto()
    UNKNOWN = auto()


class Daypart(Enum):
    """A part of the day: when it begins and ends; the first and last hour of the clock that can be meant with it."""

    FORENOON = (9, 12, 0, 11)
    AFTERNOON = (13, 18, 12, 23)
    EARLY = (9, 10, 4, 10)
    MORNING = (9, 12, 4, 11)
    MIDDAY = (12, 13, 10, 15)
    PAST_MIDDAY = (13, 15, 12, 15)
    TOWARDS_EVENING = (16, 19, 15, 19)
    EVENING = (17, 20, 16, 23)
    NIGHT = (18, 20, 18, 23)

    @property
    def hours(self) -> tuple[int, int]:
        """When it begins and ends."""
        return self.value[0], self.value[1]

    def includes(self, hour: int) -> bool:
        """Tell whether an hour of 0 to 23 can be meant with it."""
        return self.value[2] <= hour <= self.value[3]


@dataclass(frozen=True, slots=True)
class Number:
    """A number without anything that says what it counts."""

    value: int


@dataclass(frozen=True, slots=True)
class Clock:
    """A time of day. `is_open`: either half of the day can be meant."""

    hour: int
    minute: int = 0
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class Later:
    """So long from now."""

    by: timedelta


@dataclass(frozen=True, slots=True)
class InDays:
    """A day counted from today, which is 0."""

    days: int


@dataclass(frozen=True, slots=True)
class Date:
    """A day of the calendar as it was written: there may be none such."""

    day: int
    month: int | None = None
    year: int | None = None


@dataclass(frozen=True, slots=True)
class Weekday:
    """0 is Monday. `is_short`: one sign (火), which alone says nothing."""

    index: int
    is_short: bool = False


@dataclass(frozen=True, slots=True)
class InWeeks:
    """A week counted from this one, which is 0; of use with a weekday."""

    weeks: int


Token = Word | Daypart | Number | Clock | Later | InDays | Date | Weekday | InWeeks

_MEANINGS: tuple[tuple[str, tuple[Token, ...]], ...] = (
    (
        "今|いま|今すぐ|いますぐ|今直ぐ|すぐ|直ぐ|すぐに|直ぐに|今すぐに|今から|いまから|至急|大至急|早急に|なるはや",
        (Word.NOW,),
    ),
    ("できるだけ早く|なるべく早く|可能な限り早く|早めに|ただちに|直ちに", (Word.NOW,)),
    ("now|right now|asap|immediately|as soon as possible|right away|straight away|at once", (Word.NOW,)),
    ("call|call me|call me back|call back|call us|phone|phone me|ring|ring me|give me a call", (Word.CALL_ME,)),
    ("一", (Number(1),)),
    ("二", (Number(2),)),
    ("今日|本日|きょう|ほんじつ|today", (InDays(0),)),
    ("明日|あした|あす|みょうにち|tomorrow|tmr|tmrw|tomorow|tommorow|tommorrow", (InDays(1),)),
    ("明後日|あさって|みょうごにち|the day after tomorrow|day after tomorrow", (InDays(2),)),
    ("明々後日|明明後日|しあさって", (InDays(3),)),
    ("今夜|今晩|こんや|こんばん|tonight", (InDays(0), Daypart.NIGHT)),
    ("今夕", (InDays(0), Daypart.TOWARDS_EVENING)),
    ("明朝", (InDays(1), Daypart.MORNING)),
    ("明晩", (InDays(1), Daypart.NIGHT)),
    ("今週|this week", (InWeeks(0),)),
    ("来週|らいしゅう|next week", (InWeeks(1),)),
    ("再来週|さらいしゅう|the week after next|week after next", (InWeeks(2),)),
    ("午前|午前中|ごぜん|ごぜんちゅう|am", (Daypart.FORENOON,)),
    ("午後|ごご|pm|afternoon", (Daypart.AFTERNOON,)),
    ("朝一|朝一番|朝イチ|first thing", (Daypart.EARLY,)),
    ("朝|あさ|morning", (Daypart.MORNING,)),
    ("昼|お昼|ひる|おひる|昼休み|お昼休み|lunchtime|lunch time|midday", (Daypart.MIDDAY,)),
    ("昼過ぎ|お昼過ぎ|昼すぎ|お昼すぎ|ひるすぎ|午後一|午後イチ|午後一番", (Daypart.PAST_MIDDAY,)),
    ("夕方|ゆうがた|夕刻", (Daypart.TOWARDS_EVENING,)),
    ("evening", (Daypart.EVENING,)),
    ("夜|よる|晩|night", (Daypart.NIGHT,)),
    ("正午|noon", (Clock(12),)),
    ("at|around|about", (Word.AT,)),
    ("from|after|以降|以後|いこう|過ぎ|すぎ", (Word.FROM,)),
    ("から|~|to|till|til", (Word.TO,)),
    ("まで|までに|迄|迄に|until|by|before", (Word.UNTIL,)),
)
_MANNERS = """
お願い | お願いします | お願いいたします | お願い致します | お願い申し上げます | おねがい | おねがいします
おねがいいたします | 宜しく | よろしく | ください | 下さい | くださいませ | くれ | ほしい | 欲しい | ほしいです
希望 | 希望します | 希望です | を希望 | して | します | です | ます | でーす | ですー | だと助かります
助かります | すみません | すいません | 申し訳ありません | 恐れ入ります | 恐縮です | ありがとう
ありがとうございます | 有難う | ありがとうございました | 有難うございます | 有難うございました | どうも
お世話になります | お世話になっております | お疲れ様です | こんにちは | おはようございます | こんばんは | はい
了解 | 了解です | 了解しました | 承知しました | わかりました | 分かりました | お手数ですが | お手数おかけします
ございます | では | じゃあ | それでは | できれば | 出来れば | 可能なら | 可能であれば | もし | m
"""
_JOINTS = """
の | に | で | は | を | が | へ | と | も | ね | よ | 頃 | ころ | ごろ | 頃に | くらい | ぐらい | 位 | あたり
辺り | 前後 | なら | ならば | なら大丈夫 | なら大丈夫です | なら可能 | ならok | でok | で大丈夫 | で大丈夫です
でいい | でいいです | で良い | で良いです | がいい | がいいです | が良い | が良いです | がよい | がよいです
だったら | であれば | でしたら | が都合がいい | が都合いい | 都合がいい | 空いています | 空いてます | あいています
あいてます | 可 | 可能 | 可能です | 可能ですか | できますか | 出来ますか | いかがですか | いかがでしょうか
どうですか | どうでしょうか | もらえますか | もらえると | いただけますか | 頂けますか | いただけると | 頂けると
嬉しいです | うれしいです | したい | したいです | いただきたい | いただきたいです | 頂きたい | 頂きたいです
もらいたい | もらいたいです | 祝
"""
_CONTEXT = """
いつでも | いつでもいい | 希望時間 | 希望時間は | 時間は | 時間帯は | 日時は | 希望日時 | 希望日時は | ちょうど
指定 | 予約 | 変更 | 返事 | 返信 | i | you | we | id | ill | im | i am | a | an | the | is | be | will | would
could | can | lets | let us | say | like | want | need | prefer | in | on | for | of | this | this coming
some time | sometime | any time | anytime | again | anymore | any more | free | available | best | better | works
work | fine | good | great | if you can | the call | my call | this call | your call | a call | callback
my callback | the callback | the appointment | my appointment | appointment | booking | my booking | request
my request | sharp | oclock | back | then | so | i want to | i want you to | i would like to | i would like you to
id like to | id like you to | want to | like to | need to | i need to | i wish to
できます | 出来ます | 出られます | 出れます | 対応できます
"""
_CALLS = """
電話 | お電話 | 御電話 | でんわ | おでんわ | tel | 連絡 | ご連絡 | 御連絡 | 折り返し | 折返し | おりかえし
折り返しの電話 | 折り返しのお電話 | かけて | 掛けて | かけ直して | 掛け直して | かけなおして | 架電 | コール
"""
_ENGLISH_MANNERS = """
please | pls | plz | thanks | thank you | thanks a lot | many thanks | thx | ty | cheers | hi | hello | hey | ok
okay | yes | yeah | yep | sure | sir | madam | kindly | sorry | it | me | my | your | well | if possible
that would be great | and thanks | and thank you | for me | with me | works for me
"""
_ASKED = """
ください | 下さい | くださいませ | お願い | お願いします | おねがいします | ほしい | 欲しい | 希望 | して
してほしい | して欲しい | もらえますか | いただけますか
"""
_WEEKDAYS = (
    ("月", "げつ", "monday|mon"),
    ("火", "か", "tuesday|tue|tues"),
    ("水", "すい", "wednesday|weds|wed"),
    ("木", "もく", "thursday|thu|thur|thurs"),
    ("金", "きん", "friday|fri"),
    ("土", "ど", "saturday|sat"),
    ("日", "にち", "sunday|sun"),
)
_KANA_HOURS = """
いち | に | さん | よ | ご | ろく | しち | はち | く | じゅう | じゅういち | じゅうに
"""


def _each(listed: str) -> list[str]:
    return [phrase.strip() for phrase in listed.replace("\n", "|").split("|") if phrase.strip()]


def _phrases() -> Iterator[tuple[str, tuple[Token, ...]]]:
    """Yield every fixed phrase with what it stands for; of two that are the same, the later counts."""
    for listed in (_MANNERS, _JOINTS, _ENGLISH_MANNERS):
        yield from ((phrase, ()) for phrase in _each(listed))
    for listed in (_CONTEXT, _CALLS):
        yield from ((phrase, (Word.CONTEXT,)) for phrase in _each(listed))
    for call, joint, asked in product(_each(_CALLS), ("", "を", "で"), _each(_ASKED)):
        yield f"{call}{joint}{asked}", (Word.CALL_ME,)
    for hour, kana in enumerate(_each(_KANA_HOURS), start=1):
        yield f"{kana}じ", (Clock(hour, is_open=True),)
        yield f"{kana}じはん", (Clock(hour, 30, is_open=True),)
    for index, (sign, kana, english) in enumerate(_WEEKDAYS):
        yield sign, (Weekday(index, is_short=True),)
        for name in (f"{sign}曜", f"{sign}曜日", f"{kana}よう", f"{kana}ようび", *_each(english)):
            yield name, (Weekday(index),)
    for listed, tokens in _MEANINGS:
        yield from ((phrase, tokens) for phrase in _each(listed))


@cache
def phrases() -> Mapping[str, tuple[Token, ...]]:
    """Return what each phrase stands for, as `flat` writes it. No token: it changes nothing about what is meant.

    Made when the first reply is read, not at each start: callers wait for that.
    """
    return {flat(phrase) or phrase: tokens for phrase, tokens in _phrases()}
