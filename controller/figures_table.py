"""Figures as text for a terminal: of a few queues side by side, a figure a line; of many intervals a row for each.

The numbers, and what they are called, are those of `controller/domain/figure_rows.py`; here it is only chosen and laid
out. Who wants every column of every interval asks for CSV.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.domain.figure_rows import AGENT_COLUMNS, ALL_QUEUES, COLUMNS, Language, Unit, agent_headings
from controller.text_table import table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

    from controller.domain.figure_rows import Column, Number
    from controller.domain.figures import AgentFigures, Figures

    Shown = Sequence[tuple[str | None, Figures]]

FEW = 6
"""So many fit beside each other."""
NOTHING = "-"
_DIGITS = {Unit.COUNT: 0, Unit.PERCENT: 1, Unit.SECONDS: 1, Unit.ERLANGS: 2}


@dataclass(frozen=True, slots=True)
class Group:
    """Figures that are looked at together, by their keys; `chosen` are those that a row of an interval has."""

    ja: str
    en: str
    keys: tuple[str, ...]
    chosen: tuple[str, ...] = ()

    def title(self, language: Language) -> str:
        """Return what it is called."""
        return self.ja if language is Language.JA else self.en


GROUPS = (
    Group(
        "着信",
        "Calls",
        (
            *("incoming", "offered", "answered", "abandoned", "short_abandoned", "promised", "diverted", "failed"),
            *("waiting", "closed", "left_in_menu", "self_served"),
        ),
        ("offered", "answered", "abandoned", "promised", "diverted", "closed"),
    ),
    Group(
        "応答",
        "Answering",
        (
            *("answer_percent", "abandon_percent", "reached_percent", "service_level_percent"),
            *("lenient_service_level_percent", "asa_s"),
        ),
        ("answer_percent", "abandon_percent", "service_level_percent", "asa_s"),
    ),
    Group(
        "待ち時間",
        "Waits",
        (
            *("mean_hold_s", "mean_true_s", "p90_hold_s", "p90_true_s"),
            *("ranges_known", "ranges_held_percent"),
        ),
        ("mean_hold_s", "mean_true_s", "ranges_held_percent"),
    ),
    Group(
        "オペレーター",
        "Agents",
        (
            *("talks", "att_s", "acw_s", "aht_s", "offered_erlangs", "carried_erlangs"),
            *("occupancy_percent", "utilisation_percent"),
        ),
        ("talks", "att_s", "acw_s", "aht_s", "offered_erlangs", "occupancy_percent"),
    ),
    Group(
        "折り返し",
        "Callbacks",
        (
            *("callbacks_offered", "callbacks_taken", "take_percent", "promises", "promises_kept", "promises_late"),
            *("promises_broken", "promises_overdue", "promises_open", "promises_cancelled", "rang_in", "retried"),
            *("calls_out", "kept_percent", "called_in_time_percent"),
        ),
        ("callbacks_offered", "callbacks_taken", "promises_kept", "promises_late", "promises_open", "kept_percent"),
    ),
    Group("SMS", "SMS", ("texted", "reached_by_sms", "answered_sms", "reached_by_sms_percent")),
    Group(
        "順番",
        "Order",
        (
            *("moved_percent", "fairness_gained_s", "fairness_lost_s", "most_lost_s"),
            *("mean_live_gain_s", "mean_promise_gain_s"),
        ),
    ),
)
_BY_KEY = {column.key: column for column in COLUMNS}


def side_by_side(shown: Shown, zone: ZoneInfo, language: Language) -> str:
    """Return all figures of a few queues or intervals, a line for each figure."""
    is_one_time = len({each.interval for _, each in shown}) == 1
    headings = [
        _queue(queue, language) if is_one_time else f"{each.interval.since.astimezone(zone):%H:%M}"
        for queue, each in shown
    ]
    return "\n\n".join(
        table(
            [group.title(language), *headings],
            [
                [column.heading(language), *(_text(column, column.cell(each)) for _, each in shown)]
                for column in (_BY_KEY[key] for key in group.keys)
            ],
        )
        for group in GROUPS
    )


def in_rows(shown: Shown, zone: ZoneInfo, language: Language, *, names_queue: bool) -> str:
    """Return the chosen figures of many intervals, a row for each in which anything was; one table for each group."""
    busy = [(queue, each) for queue, each in shown if each.calls.by_fate or each.carried_s or each.callbacks.made]
    first = {Language.JA: ["開始", "キュー"], Language.EN: ["From", "Queue"]}[language][: 1 + names_queue]
    return "\n\n".join(
        table(
            [*first, *(column.heading(language) for column in columns)],
            [
                [
                    *[f"{each.interval.since.astimezone(zone):%H:%M}", _queue(queue, language)][: 1 + names_queue],
                    *(_text(column, column.cell(each)) for column in columns),
                ]
                for queue, each in busy
            ],
        )
        for group in GROUPS
        if (columns := [_BY_KEY[key] for key in group.chosen])
    )


def of_agents(found: Sequence[AgentFigures], language: Language) -> str:
    """Return the figures of agents, a row for each."""
    rows = [[each.agent, *(_text(column, column.cell(each)) for column in AGENT_COLUMNS)] for each in found]
    return table(agent_headings(language), rows)


def _queue(queue: str | None, language: Language) -> str:
    return ALL_QUEUES[language] if queue is None else queue


def _text(column: Column[Figures] | Column[AgentFigures], number: Number) -> str:
    return NOTHING if number is None else f"{number:.{_DIGITS[column.unit]}f}"
