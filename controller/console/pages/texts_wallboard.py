"""Words of the wallboard."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

WORDS: Mapping[str, Mapping[str, str]] = {
    "wb_title": {"ja": "ウォールボード", "en": "Wallboard"},
    "wb_queue": {"ja": "キュー", "en": "Queue"},
    "wb_all_queues": {"ja": "全キュー", "en": "All queues"},
    "wb_now": {"ja": "現在", "en": "Now"},
    "wb_today": {"ja": "本日", "en": "Today"},
    # Now
    "wb_waiting": {"ja": "待ち呼", "en": "Waiting"},
    "wb_longest": {"ja": "最長待ち時間", "en": "Longest wait"},
    "wb_callbacks": {"ja": "折り返し待ち", "en": "Callbacks due"},
    "wb_later": {"ja": "ほかに時間指定 {n}件", "en": "{n} more for later"},
    "wb_free": {"ja": "待機", "en": "Free"},
    "wb_on_call": {"ja": "通話", "en": "On a call"},
    "wb_wrap_up": {"ja": "後処理", "en": "Wrap-up"},
    "wb_paused": {"ja": "離席", "en": "Paused"},
    # Today; the names are those of docs/figures.md
    "wb_answer_percent": {"ja": "応答率", "en": "Answer rate"},
    "wb_abandon_percent": {"ja": "放棄呼率", "en": "Abandon rate"},
    "wb_service_level_percent": {"ja": "サービスレベル", "en": "Service level"},
    "wb_kept_percent": {"ja": "折り返し遵守率", "en": "Promises kept"},
    "wb_of_offered": {"ja": "着信 {n}件", "en": "of {n} calls"},
    "wb_of_abandoned": {"ja": "放棄呼 {n}件", "en": "{n} abandoned"},
    "wb_asa": {"ja": "平均応答速度 {s}", "en": "ASA {s}"},
    "wb_of_promises": {"ja": "期限内 {kept}件・遅延/超過 {missed}件", "en": "{kept} kept, {missed} late or missed"},
    "wb_two_waits": {"ja": "平均待ち時間", "en": "Mean wait"},
    "wb_hold": {"ja": "保留", "en": "On hold"},
    "wb_true": {"ja": "実待ち", "en": "True"},
    "wb_two_waits_help": {
        "ja": "保留: お電話口でお待ちいただいた時間。実待ち: 着信からお話しできるまで(折り返しを含む)",
        "en": "On hold: at the phone. True: from arriving to talking, callbacks included",
    },
    "wb_ranges_held": {"ja": "待ち時間案内の的中率 {n}%", "en": "{n} % of announced waits held"},
    "wb_figures_of": {"ja": "{at} 時点", "en": "as of {at}"},
    # The line
    "wb_line": {"ja": "待ち行列", "en": "The line"},
    "wb_line_help": {
        "ja": "待ち呼と折り返しを、対応する順に表示しています。",
        "en": "Callers and callbacks in one list, first to be served first.",
    },
    "wb_nobody": {"ja": "お待ちの方はいません。", "en": "Nobody is waiting."},
    "wb_more": {"ja": "ほか {n}件", "en": "and {n} more"},
    "wb_place": {"ja": "順番", "en": "Place"},
    "wb_who": {"ja": "お客さま", "en": "Who"},
    "wb_since": {"ja": "着信", "en": "Arrived"},
    "wb_wait": {"ja": "待ち時間", "en": "Wait"},
    "wb_told": {"ja": "ご案内した待ち時間", "en": "What was told"},
    "wb_order": {"ja": "公平性", "en": "Fairness"},
    "wb_state": {"ja": "状態", "en": "State"},
    "wb_from": {"ja": "{at}〜", "en": "from {at}"},
    "wb_by": {"ja": "{at}まで", "en": "by {at}"},
    "wb_asap": {"ja": "でき次第", "en": "as soon as possible"},
    "wb_not_told": {"ja": "未案内", "en": "nothing yet"},
    "wb_holds": {"ja": "範囲内", "en": "holds"},
    "wb_at_risk": {"ja": "超過見込み", "en": "at risk"},
    "wb_broken": {"ja": "超過", "en": "passed"},
    "wb_passed": {"ja": "{n}人に先を越された", "en": "passed {n} times"},
    "wb_in_order": {"ja": "順番どおり", "en": "in order"},
    "wb_tries": {"ja": "発信 {n}回", "en": "{n} calls made"},
    "wb_with": {"ja": "担当: {agent}", "en": "with {agent}"},
    # Agents, queues, what they depend on
    "wb_agents": {"ja": "オペレーター", "en": "Agents"},
    "wb_no_agents": {"ja": "オペレーターが登録されていません。", "en": "There are no agents."},
    "wb_phone_away": {"ja": "電話機未接続", "en": "no phone"},
    "wb_phone_busy": {"ja": "電話機使用中", "en": "phone in use"},
    "wb_queues": {"ja": "キュー", "en": "Queues"},
    "wb_open": {"ja": "受付中", "en": "Open"},
    "wb_closed": {"ja": "受付終了", "en": "Closed"},
    "wb_closed_by": {"ja": "{by} が受付を停止中", "en": "closed by {by}"},
    "wb_opens": {"ja": "{at} 受付開始", "en": "opens {at}"},
    "wb_queue_counts": {
        "ja": "待ち呼 {live}・折り返し {due}・待機 {free}/{duty}人",
        "en": "{live} waiting, {due} callbacks, {free} of {duty} agents free",
    },
    "wb_expected": {"ja": "待ち時間の目安 {range}", "en": "expected wait {range}"},
    "wb_nobody_on_duty": {"ja": "担当者不在", "en": "nobody on duty"},
    "wb_health": {"ja": "回線とPBX", "en": "Trunks and PBX"},
    "wb_healthy": {"ja": "正常", "en": "Healthy"},
    "wb_away": {"ja": "停止", "en": "Down"},
    "wb_circuits": {"ja": "使用中 {calls}/{circuits}", "en": "{calls} of {circuits} circuits"},
    "wb_calls": {"ja": "通話 {calls}", "en": "{calls} calls"},
    "wb_failures": {"ja": "失敗 {n}回", "en": "{n} failures"},
    "pbx_in_control": {"ja": "稼働中", "en": "In control"},
    "pbx_opening": {"ja": "接続中", "en": "Connecting"},
    "pbx_coming_home": {"ja": "引き継ぎ中", "en": "Coming home"},
    "pbx_standing_by": {"ja": "待機系", "en": "Standing by"},
    # Charts
    "wb_charts": {"ja": "本日の推移", "en": "The day so far"},
    "wb_charts_fail": {
        "ja": "グラフを表示できません。データベースの状態をご確認ください。",
        "en": "The charts cannot be shown. Please look at the database.",
    },
    # Problems that need a person
    "wb_problems": {"ja": "対応が必要です", "en": "Needs a person"},
}
