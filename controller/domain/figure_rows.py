"""The figures as columns: what each is called in Japanese and English, its unit, and where it is taken from.

Whoever shows figures (a page, a CSV file, metrics) goes through these columns, so that all show the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Generic, TypeVar

from controller.domain.call_figures import Fate
from controller.domain.callback_figures import Word

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from zoneinfo import ZoneInfo

    from controller.domain.csv_text import Cell
    from controller.domain.figures import AgentFigures, Figures

F = TypeVar("F")
Number = int | float | None


class Language(StrEnum):
    """In which headings are written."""

    JA = "ja"
    EN = "en"


class Unit(StrEnum):
    """What a number counts. Its value: how it stands behind a heading."""

    COUNT = ""
    PERCENT = "%"
    SECONDS = "s"
    ERLANGS = "erl"


_DIGITS = {Unit.PERCENT: 1, Unit.SECONDS: 1, Unit.ERLANGS: 2}
_IN_JAPANESE = {Unit.COUNT: "", Unit.PERCENT: "(%)", Unit.SECONDS: "(秒)", Unit.ERLANGS: "(アーラン)"}
_IN_ENGLISH = {Unit.COUNT: "", Unit.PERCENT: " (%)", Unit.SECONDS: " (s)", Unit.ERLANGS: " (erlangs)"}


@dataclass(frozen=True, slots=True)
class Column(Generic[F]):
    """One figure. `key` is its name in the API and in metrics."""

    key: str
    ja: str
    en: str
    unit: Unit
    of: Callable[[F], Number]

    def heading(self, language: Language) -> str:
        """Return its name with the unit."""
        if language is Language.JA:
            return self.ja + _IN_JAPANESE[self.unit]
        return self.en + _IN_ENGLISH[self.unit]

    def cell(self, figures: F) -> Number:
        """Return the number, rounded as it is shown; None where there is nothing to tell."""
        number = self.of(figures)
        if number is None or self.unit is Unit.COUNT:
            return number
        return round(number, _DIGITS[self.unit]) + 0.0  # No "-0.0".


COLUMNS: tuple[Column[Figures], ...] = (
    Column("incoming", "総着信数", "Incoming calls", Unit.COUNT, lambda f: f.calls.incoming),
    Column("offered", "着信呼数", "Calls offered", Unit.COUNT, lambda f: f.calls.offered),
    Column("answered", "応答数", "Answered", Unit.COUNT, lambda f: f.calls.count(Fate.ANSWERED)),
    Column("abandoned", "放棄呼数", "Abandoned", Unit.COUNT, lambda f: f.calls.count(Fate.ABANDONED)),
    Column(
        "short_abandoned", "短時間放棄呼数", "Short abandons", Unit.COUNT, lambda f: f.calls.count(Fate.SHORT_ABANDONED)
    ),
    Column("promised", "折り返し予約呼数", "Left a number", Unit.COUNT, lambda f: f.calls.count(Fate.PROMISED)),
    Column("diverted", "あふれ呼数", "Sent elsewhere", Unit.COUNT, lambda f: f.calls.count(Fate.DIVERTED)),
    Column("failed", "障害呼数", "Failed", Unit.COUNT, lambda f: f.calls.count(Fate.FAILED)),
    Column("waiting", "対応中呼数", "Not over yet", Unit.COUNT, lambda f: f.calls.count(Fate.WAITING)),
    Column("closed", "時間外着信数", "When closed", Unit.COUNT, lambda f: f.calls.count(Fate.CLOSED)),
    Column("left_in_menu", "IVR放棄呼数", "Left in a menu", Unit.COUNT, lambda f: f.calls.count(Fate.LEFT_IN_MENU)),
    Column("self_served", "IVR完了数", "Served by a menu", Unit.COUNT, lambda f: f.calls.count(Fate.SELF_SERVED)),
    Column("answer_percent", "応答率", "Answer rate", Unit.PERCENT, lambda f: f.calls.answer_percent),
    Column("abandon_percent", "放棄呼率", "Abandon rate", Unit.PERCENT, lambda f: f.calls.abandon_percent),
    Column(
        "reached_percent",
        "折り返し込み応答率",
        "Talked, callbacks included",
        Unit.PERCENT,
        lambda f: f.calls.reached_percent,
    ),
    Column(
        "service_level_percent",
        "サービスレベル",
        "Service level",
        Unit.PERCENT,
        lambda f: f.calls.service_level_percent,
    ),
    Column(
        "lenient_service_level_percent",
        "サービスレベル・放棄呼を除く",
        "Service level, abandoned calls ignored",
        Unit.PERCENT,
        lambda f: f.calls.lenient_service_level_percent,
    ),
    Column("asa_s", "平均応答速度", "ASA", Unit.SECONDS, lambda f: f.calls.asa_s),
    Column("mean_hold_s", "平均保留待ち時間", "Mean hold wait", Unit.SECONDS, lambda f: f.waits.mean_hold_s),
    Column("mean_true_s", "平均実待ち時間", "Mean true wait", Unit.SECONDS, lambda f: f.waits.mean_true_s),
    Column("p90_hold_s", "保留待ち時間90%値", "Hold wait, 90th percentile", Unit.SECONDS, lambda f: f.waits.p90_hold_s),
    Column("p90_true_s", "実待ち時間90%値", "True wait, 90th percentile", Unit.SECONDS, lambda f: f.waits.p90_true_s),
    Column("talks", "通話数", "Talks", Unit.COUNT, lambda f: f.handling.talks),
    Column("att_s", "平均通話時間", "ATT", Unit.SECONDS, lambda f: f.handling.att_s),
    Column("acw_s", "平均後処理時間", "ACW", Unit.SECONDS, lambda f: f.handling.acw_s),
    Column("aht_s", "平均処理時間", "AHT", Unit.SECONDS, lambda f: f.handling.aht_s),
    Column("offered_erlangs", "呼量", "Traffic offered", Unit.ERLANGS, lambda f: f.offered_erlangs),
    Column("carried_erlangs", "運ばれた呼量", "Traffic carried", Unit.ERLANGS, lambda f: f.carried_erlangs),
    Column("occupancy_percent", "占有率", "Occupancy", Unit.PERCENT, lambda f: f.time.occupancy_percent),
    Column("utilisation_percent", "稼働率", "Utilisation", Unit.PERCENT, lambda f: f.time.utilisation_percent),
    Column("callbacks_offered", "折り返し提案数", "Callbacks offered", Unit.COUNT, lambda f: f.callbacks.offered),
    Column("callbacks_taken", "折り返し予約数", "Callbacks taken", Unit.COUNT, lambda f: f.callbacks.taken),
    Column("take_percent", "折り返し予約率", "Take rate", Unit.PERCENT, lambda f: f.callbacks.take_percent),
    Column("promises", "折り返し案件数", "Promises", Unit.COUNT, lambda f: f.callbacks.made),
    Column("promises_kept", "期限内完了数", "Kept", Unit.COUNT, lambda f: f.callbacks.count(Word.KEPT)),
    Column("promises_late", "遅延完了数", "Kept late", Unit.COUNT, lambda f: f.callbacks.count(Word.LATE)),
    Column("promises_broken", "未達成数", "Not kept", Unit.COUNT, lambda f: f.callbacks.count(Word.BROKEN)),
    Column("promises_overdue", "期限超過数", "Overdue", Unit.COUNT, lambda f: f.callbacks.count(Word.OVERDUE)),
    Column("promises_open", "対応待ち数", "Open", Unit.COUNT, lambda f: f.callbacks.count(Word.OPEN)),
    Column("promises_cancelled", "取消数", "Cancelled", Unit.COUNT, lambda f: f.callbacks.count(Word.CANCELLED)),
    Column("rang_in", "再入電での完了数", "Talked on ringing again", Unit.COUNT, lambda f: f.callbacks.rang_in),
    Column("retried", "再架電数", "Retried", Unit.COUNT, lambda f: f.callbacks.retried),
    Column("calls_out", "発信数", "Calls out", Unit.COUNT, lambda f: f.callbacks.calls),
    Column("kept_percent", "折り返し遵守率", "Promise-kept rate", Unit.PERCENT, lambda f: f.callbacks.kept_percent),
    Column(
        "called_in_time_percent",
        "期限内発信率",
        "Called in time",
        Unit.PERCENT,
        lambda f: f.callbacks.called_in_time_percent,
    ),
    Column("texted", "不在時SMS送信数", "Texted after a call", Unit.COUNT, lambda f: f.callbacks.texted),
    Column("reached_by_sms", "SMS到達数", "Reached by SMS", Unit.COUNT, lambda f: f.callbacks.reached_by_sms),
    Column("answered_sms", "SMS返答数", "Answered the SMS", Unit.COUNT, lambda f: f.callbacks.answered_sms),
    Column(
        "reached_by_sms_percent",
        "SMS到達率",
        "Reached by SMS",
        Unit.PERCENT,
        lambda f: f.callbacks.reached_by_sms_percent,
    ),
    Column("ranges_known", "待ち時間案内の判定数", "Announced waits judged", Unit.COUNT, lambda f: f.ranges.known),
    Column(
        "ranges_held_percent",
        "待ち時間案内の的中率",
        "Announced range held",
        Unit.PERCENT,
        lambda f: f.ranges.within_percent,
    ),
    Column("moved_percent", "順番変動率", "Turns moved", Unit.PERCENT, lambda f: f.fairness.moved_percent),
    Column(
        "fairness_gained_s", "順番変動による短縮計", "Gained by the order", Unit.SECONDS, lambda f: f.fairness.gained_s
    ),
    Column("fairness_lost_s", "順番変動による延長計", "Lost by the order", Unit.SECONDS, lambda f: f.fairness.lost_s),
    Column("most_lost_s", "順番変動による最大延長", "Most lost by one", Unit.SECONDS, lambda f: f.fairness.most_lost_s),
    Column(
        "mean_live_gain_s",
        "入電の平均短縮",
        "Mean gain of callers",
        Unit.SECONDS,
        lambda f: f.fairness.mean_live_gain_s,
    ),
    Column(
        "mean_promise_gain_s",
        "折り返しの平均短縮",
        "Mean gain of callbacks",
        Unit.SECONDS,
        lambda f: f.fairness.mean_promise_gain_s,
    ),
)
"""Of a queue, or of all together, in an interval; in the order in which they are shown."""

AGENT_COLUMNS: tuple[Column[AgentFigures], ...] = (
    Column("talks", "通話数", "Talks", Unit.COUNT, lambda a: a.handling.talks),
    Column("callback_talks", "折り返し通話数", "Callback talks", Unit.COUNT, lambda a: a.handling.callbacks),
    Column("att_s", "平均通話時間", "ATT", Unit.SECONDS, lambda a: a.handling.att_s),
    Column("acw_s", "平均後処理時間", "ACW", Unit.SECONDS, lambda a: a.handling.acw_s),
    Column("aht_s", "平均処理時間", "AHT", Unit.SECONDS, lambda a: a.handling.aht_s),
    Column("signed_in_s", "サインイン時間", "Signed in", Unit.SECONDS, lambda a: a.time.signed_in_s),
    Column("occupancy_percent", "占有率", "Occupancy", Unit.PERCENT, lambda a: a.time.occupancy_percent),
    Column("utilisation_percent", "稼働率", "Utilisation", Unit.PERCENT, lambda a: a.time.utilisation_percent),
)
_WHEN_AND_WHO = {
    Language.JA: ("開始", "終了", "キュー"),
    Language.EN: ("From", "Until", "Queue"),
}
_AGENT = {Language.JA: "オペレーター", Language.EN: "Agent"}
ALL_QUEUES = {Language.JA: "全キュー", Language.EN: "All queues"}


def headings(language: Language) -> list[str]:
    """Return the headings of `rows`."""
    return [*_WHEN_AND_WHO[language], *(column.heading(language) for column in COLUMNS)]


def rows(
    found: Iterable[tuple[str | None, Figures]], zone: ZoneInfo, language: Language = Language.EN
) -> list[Sequence[Cell]]:
    """Return a row for each (queue, figures); a queue of None is all of them. Times: the zone's clock, ISO 8601."""
    return [
        [
            each.interval.since.astimezone(zone).isoformat(timespec="minutes"),
            each.interval.until.astimezone(zone).isoformat(timespec="minutes"),
            ALL_QUEUES[language] if queue is None else queue,
            *(column.cell(each) for column in COLUMNS),
        ]
        for queue, each in found
    ]


def agent_headings(language: Language) -> list[str]:
    """Return the headings of `agent_rows`."""
    return [_AGENT[language], *(column.heading(language) for column in AGENT_COLUMNS)]


def agent_rows(found: Iterable[AgentFigures]) -> list[Sequence[Cell]]:
    """Return a row for each agent."""
    return [[each.agent, *(column.cell(each) for column in AGENT_COLUMNS)] for each in found]
