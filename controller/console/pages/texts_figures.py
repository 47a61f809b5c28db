"""Words of the page of figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

WORDS: Mapping[str, Mapping[str, str]] = {
    "fi_title": {"ja": "統計", "en": "Figures"},
    "fi_day": {"ja": "日付", "en": "Day"},
    "fi_queue": {"ja": "キュー", "en": "Queue"},
    "fi_all_queues": {"ja": "全キュー", "en": "All queues"},
    "fi_interval": {"ja": "時間帯の長さ", "en": "Interval"},
    "fi_15m": {"ja": "15分", "en": "15 minutes"},
    "fi_30m": {"ja": "30分", "en": "30 minutes"},
    "fi_group": {"ja": "項目", "en": "Figures of"},
    "fi_show": {"ja": "表示", "en": "Show"},
    "fi_before": {"ja": "前日", "en": "Day before"},
    "fi_after": {"ja": "翌日", "en": "Day after"},
    "fi_wrong_day": {
        "ja": "日付を読み取れませんでした。本日の統計を表示しています。",
        "en": "That is no day. These are today's figures.",
    },
    "fi_as_of": {
        "ja": "{at} 時点。折り返しが終わるまで、過去の時間帯の数字も変わります。",
        "en": "As of {at}. Past intervals still change while their callbacks are open.",
    },
    "fi_group_calls": {"ja": "着信", "en": "Calls"},
    "fi_group_waits": {"ja": "待ち時間とサービスレベル", "en": "Waits and service level"},
    "fi_group_agents": {"ja": "処理と稼働", "en": "Handling and agents"},
    "fi_group_callbacks": {"ja": "折り返し", "en": "Callbacks"},
    "fi_group_fairness": {"ja": "待ち時間案内と公平性", "en": "Announced waits and fairness"},
    "fi_charts": {"ja": "グラフ", "en": "Charts"},
    "fi_table": {"ja": "時間帯別", "en": "By interval"},
    "fi_by_queue": {"ja": "キュー別", "en": "By queue"},
    "fi_by_agent": {"ja": "オペレーター別", "en": "By agent"},
    "fi_agent": {"ja": "オペレーター", "en": "Agent"},
    "fi_total": {"ja": "1日合計", "en": "Whole day"},
    "fi_csv": {"ja": "CSVをダウンロード(全項目)", "en": "Download CSV (all figures)"},
    "fi_csv_agents": {"ja": "CSVをダウンロード(オペレーター別)", "en": "Download CSV (by agent)"},
    "fi_formulas": {"ja": "数字の見方(計算式)", "en": "What the figures mean"},
    "fi_staffing": {"ja": "必要なオペレーター数", "en": "How many agents were needed"},
    "fi_staffing_target": {
        "ja": "目標: {within}秒以内の応答 {level}%",
        "en": "Target: {level} % answered within {within} s",
    },
    "fi_staffing_abandon": {"ja": "放棄呼率 {percent}%以下", "en": "at most {percent} % abandoned"},
    "fi_staffing_choose": {
        "ja": "目標はキューごとに設定されています。キューを選択すると表示されます。",
        "en": "Each queue has a target of its own: choose one to see this.",
    },
    "fi_staffing_help": {
        "ja": "時間帯ごとに計算しています。前の時間帯から残った待ち呼は含みません。"
        "電話に出る人数で、休憩や研修の分は別に必要です。",
        "en": "Each interval for itself, without a line left from the one before. People at the phone: add those who "
        "are on a break or in training.",
    },
    "fi_none": {"ja": "この日のデータはありません。", "en": "There is nothing of this day."},
}
