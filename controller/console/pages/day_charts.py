"""The charts of a day: its figures, interval by interval, put where they are drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.console.pages.charts import Series, Slot, lines, stacked, steps
from controller.console.pages.texts_charts import WORDS
from controller.domain.call_figures import Fate

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

    from controller.console.pages.charts import Chart
    from controller.domain.figures import Figures

_SHORT_S = 180.0
"""Waits up to this are shown in seconds, longer ones in minutes."""


def busy(day: Sequence[Figures]) -> Sequence[Figures]:
    """Return the part of a day in which somebody called or worked; all of a day on which nobody did."""
    nths = [nth for nth, one in enumerate(day) if one.calls.incoming or one.time.signed_in_s or one.handling.talks]
    return day[nths[0] : nths[-1] + 1] if nths else day


def calls(day: Sequence[Figures], zone: ZoneInfo, language: str) -> Chart:
    """Return how many came in each interval, and what became of them."""

    def of(*fates: Fate) -> list[float | None]:
        return [sum(one.calls.count(fate) for fate in fates) for one in day]

    series = [
        Series("answered", _say("ch_answered", language), of(Fate.ANSWERED)),
        Series("promised", _say("ch_promised", language), of(Fate.PROMISED)),
        Series("abandoned", _say("ch_abandoned", language), of(Fate.ABANDONED, Fate.SHORT_ABANDONED)),
        Series("other", _say("ch_other", language), of(Fate.DIVERTED, Fate.FAILED, Fate.WAITING)),
    ]
    title, unit = _say("ch_calls", language), _say("ch_in_calls", language)
    return stacked("calls", title, unit, slots(day, zone), series)


def waits(day: Sequence[Figures], zone: ZoneInfo, language: str) -> Chart:
    """Return both waits side by side: at the phone, and until they had talked."""
    hold_s, true_s = [one.waits.mean_hold_s for one in day], [one.waits.mean_true_s for one in day]
    is_long = max((each for each in (*hold_s, *true_s) if each is not None), default=0) > _SHORT_S

    def shown(values_s: Sequence[float | None]) -> list[float | None]:
        return [each / 60 if is_long and each is not None else each for each in values_s]

    series = [
        Series("hold", _say("ch_hold", language), shown(hold_s)),
        Series("true", _say("ch_true", language), shown(true_s)),
    ]
    unit = _say("ch_in_minutes" if is_long else "ch_in_seconds", language)
    return lines("waits", _say("ch_waits", language), unit, slots(day, zone), series)


def service_level(day: Sequence[Figures], zone: ZoneInfo, language: str, goal_percent: float | None) -> Chart:
    """Return the service level of each interval, and its target where there is one."""
    series = [Series("service", _say("ch_service", language), [one.calls.service_level_percent for one in day])]
    title, unit = _say("ch_service", language), _say("ch_in_percent", language)
    return lines("service", title, unit, slots(day, zone), series, top=100.0, goal=goal_percent)


def staffing(
    day: Sequence[Figures],
    needed_a: Sequence[int | None],
    needed_c: Sequence[int | None],
    zone: ZoneInfo,
    language: str,
) -> Chart:
    """Return how many agents each interval would have taken, beside those who were there: ready, on average.

    Erlang C is drawn only where nobody knows how patient callers are: it asks for too many where they hang up.
    """
    has_patience = any(each is not None for each in needed_a)
    key, needed = ("needed_a", needed_a) if has_patience else ("needed_c", needed_c)
    series = [
        Series("needed", _say(f"ch_{key}", language), needed),
        Series("there", _say("ch_there", language), [_ready(one) for one in day]),
    ]
    title, unit = _say("ch_staffing", language), _say("ch_in_people", language)
    return steps("staffing", title, unit, slots(day, zone), series)


def slots(day: Sequence[Figures], zone: ZoneInfo) -> list[Slot]:
    """Return the intervals as the axis names them: by when they begin."""
    begun = [one.interval.since.astimezone(zone) for one in day]
    return [Slot(f"{each.hour}:{each:%M}", each.hour if each.minute == 0 else None) for each in begun]


def _ready(one: Figures) -> float | None:
    return one.time.ready_s / one.elapsed_s if one.elapsed_s > 0 else None


def _say(word: str, language: str) -> str:
    return WORDS[word][language]
