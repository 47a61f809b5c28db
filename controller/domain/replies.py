"""What a reply by SMS means. The words of both languages are in `reply_vocabulary.py` and `reply_patterns.py`.

A text is understood as a whole, or not at all: one word that we do not know, two times, or a wish and its opposite, and
a person has to read it. STOP alone is simpler: as the first word it is obeyed whatever follows, and in other words when
nothing else is said.

| part of the day | from | until |
| --- | --- | --- |
| 午前 朝 morning | 9:00 | 12:00 |
| 朝一 first thing | 9:00 | 10:00 |
| 昼 midday | 12:00 | 13:00 |
| 昼過ぎ | 13:00 | 15:00 |
| 午後 afternoon | 13:00 | 18:00 |
| 夕方 | 16:00 | 19:00 |
| evening | 17:00 | 20:00 |
| 夜 今夜 night tonight | 18:00 | 20:00 |
| a day without a time | 9:00 | 18:00 |

A time without a day is the next such time, today or tomorrow. One that can be before or after noon is that between 8:00
and 20:00. A day of the month or of the year is the next such day, at most 30 days ahead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.domain.reply_patterns import tokens
from controller.domain.reply_times import asked_for
from controller.domain.reply_vocabulary import Number, Word

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from controller.domain.reply_vocabulary import Token

_KEYS: Mapping[Token, Token] = {Number(1): Word.NOW, Number(2): Word.CANCEL}
"""What a digit alone stands for: our SMS say so."""


@dataclass(frozen=True, slots=True)
class CallNow:
    """As soon as possible."""


@dataclass(frozen=True, slots=True)
class CallAt:
    """At a time, aware UTC, not before the reply was read. `ends_at` None: exactly then."""

    starts_at: datetime
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CancelIt:
    """The callback is not needed any more."""


@dataclass(frozen=True, slots=True)
class Stop:
    """No SMS and no call ever again."""


@dataclass(frozen=True, slots=True)
class NotUnderstood:
    """A person has to read it."""


Meaning = CallNow | CallAt | CancelIt | Stop | NotUnderstood


def understand(text: str, now: datetime, zone: ZoneInfo) -> Meaning:
    """Return what a stranger's text asks for, in linear time; no text raises anything.

    `now` is when it came, `zone` that of the clock on which its times are meant. Raises ValueError when `now` has no
    zone.
    """
    read = tokens(text)
    said = [token for token in read if token is not Word.CONTEXT]
    keys = _KEYS if len(said) == len(read) else {}
    meant = frozenset(keys.get(token, token) for token in said)
    if _is_stop(said, meant):
        return Stop()
    if not meant or Word.UNKNOWN in meant:
        return NotUnderstood()
    if meant <= {Word.NOW, Word.CALL_ME}:
        return CallNow()
    if meant <= {Word.CANCEL}:
        return CancelIt()
    asked = asked_for([token for token in said if token is not Word.CALL_ME], now, zone)
    return NotUnderstood() if asked is None else CallAt(*asked)


def _is_stop(said: Sequence[Token], meant: frozenset[Token]) -> bool:
    if said and said[0] is Word.STOP:
        return True
    return not meant.isdisjoint({Word.STOP, Word.NO_MORE}) and meant <= {Word.STOP, Word.NO_MORE, Word.CANCEL}
