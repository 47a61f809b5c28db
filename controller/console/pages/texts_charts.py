"""Words of the charts. What is drawn is called what docs/figures.md calls it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

WORDS: Mapping[str, Mapping[str, str]] = {
    "ch_calls": {"ja": "着信と結果", "en": "Calls, and what became of them"},
    "ch_answered": {"ja": "応答", "en": "Answered"},
    "ch_promised": {"ja": "折り返し予約", "en": "Left a number"},
    "ch_abandoned": {"ja": "放棄呼", "en": "Abandoned"},
    "ch_other": {"ja": "その他(あふれ呼・障害・対応中)", "en": "Other (sent elsewhere, failed, not over)"},
    "ch_waits": {"ja": "保留待ち時間と実待ち時間(平均)", "en": "Hold wait and true wait (mean)"},
    "ch_hold": {"ja": "保留待ち", "en": "Hold wait"},
    "ch_true": {"ja": "実待ち", "en": "True wait"},
    "ch_service": {"ja": "サービスレベル", "en": "Service level"},
    "ch_goal": {"ja": "目標", "en": "Target"},
    "ch_staffing": {"ja": "必要なオペレーター数", "en": "Agents needed"},
    "ch_needed_a": {"ja": "必要人数(アーランA)", "en": "Needed (Erlang A)"},
    "ch_needed_c": {"ja": "必要人数(アーランC)", "en": "Needed (Erlang C)"},
    "ch_there": {"ja": "稼働人数", "en": "Were there"},
    "ch_in_calls": {"ja": "件", "en": "calls"},
    "ch_in_minutes": {"ja": "分", "en": "min"},
    "ch_in_seconds": {"ja": "秒", "en": "s"},
    "ch_in_percent": {"ja": "%", "en": "%"},
    "ch_in_people": {"ja": "人", "en": "people"},
    "ch_empty": {"ja": "まだデータがありません。", "en": "Nothing to show yet."},
    "ch_as_table": {"ja": "表で見る", "en": "As a table"},
    "ch_interval": {"ja": "時間帯", "en": "Interval"},
}
