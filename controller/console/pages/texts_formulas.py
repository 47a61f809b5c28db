"""How each figure is reckoned, in a line: what docs/figures.md says at length. By the key of the figure's column."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMULAS: Mapping[str, Mapping[str, str]] = {
    "incoming": {"ja": "着信呼数 + 短時間放棄呼数 + 対応中呼数", "en": "offered + short abandons + not over yet"},
    "offered": {
        "ja": "応答 + 放棄呼 + 折り返し予約 + あふれ呼 + 障害",
        "en": "answered + abandoned + left a number + sent elsewhere + failed",
    },
    "answered": {
        "ja": "オペレーターとお話しできた着信",
        "en": "calls on which an agent and the caller heard each other",
    },
    "abandoned": {
        "ja": "応答または折り返し予約の前に切断された着信",
        "en": "hung up before an agent or a promise",
    },
    "short_abandoned": {
        "ja": "設定した秒数より早く切断された着信。どの率にも含みません",
        "en": "hung up sooner than the threshold; in no rate",
    },
    "promised": {
        "ja": "折り返しを予約された着信。応答にも放棄呼にも含みません",
        "en": "left a number: neither answered nor abandoned",
    },
    "diverted": {
        "ja": "キューの上限により、案内・SMS・外部の番号へ回した着信",
        "en": "sent to a message, a page by SMS or a number outside by a limit of the queue",
    },
    "failed": {"ja": "システムの障害で終わった着信", "en": "calls that ended by our fault"},
    "waiting": {"ja": "まだ終わっていない着信", "en": "calls that go on"},
    "closed": {"ja": "受付時間外の着信", "en": "calls that came when the queue was closed"},
    "left_in_menu": {"ja": "キューに入る前に切断された着信", "en": "hung up before any queue"},
    "self_served": {
        "ja": "キューに入らず、案内・SMS・外部の番号で終わった着信",
        "en": "dealt with by a message, a page or a number outside, without a queue",
    },
    "answer_percent": {"ja": "応答数 ÷ 着信呼数 × 100", "en": "answered / offered x 100"},
    "abandon_percent": {
        "ja": "放棄呼数 ÷ 着信呼数 × 100(短時間放棄呼は含みません)",
        "en": "abandoned / offered x 100; short abandons in neither",
    },
    "reached_percent": {
        "ja": "(応答数 + 折り返しでお話しできた数) ÷ 着信呼数 × 100",
        "en": "(answered + promised who have talked since) / offered x 100",
    },
    "service_level_percent": {
        "ja": "設定時間内の応答数 ÷ 着信呼数 × 100",
        "en": "answered within the target time / offered x 100",
    },
    "lenient_service_level_percent": {
        "ja": "設定時間内の応答数 ÷ (着信呼数 − 設定時間内の放棄呼数) × 100",
        "en": "answered within it / (offered - abandoned within it) x 100",
    },
    "asa_s": {"ja": "応答した着信の待ち時間の合計 ÷ 応答数", "en": "waits of answered calls / answered calls"},
    "mean_hold_s": {
        "ja": "列に並んでから応答または折り返し予約までの平均(お話しできたお客さま)",
        "en": "from joining the line to the agent, or to leaving it with a promise; of those who talked",
    },
    "mean_true_s": {
        "ja": "着信からお話しできるまでの平均。折り返しを含みます(同じお客さま)",
        "en": "from arriving to talking, the callback's time included; of the same callers",
    },
    "p90_hold_s": {"ja": "10人中9人の保留待ち時間はこの値以下", "en": "nine of ten held no longer"},
    "p90_true_s": {"ja": "10人中9人の実待ち時間はこの値以下", "en": "nine of ten had talked by then"},
    "talks": {"ja": "終了した通話(折り返しを含む)", "en": "talks that are over, callbacks included"},
    "att_s": {"ja": "通話時間の合計 ÷ 通話数", "en": "time talked / talks"},
    "acw_s": {
        "ja": "後処理時間の合計 ÷ 後処理が終わった通話数",
        "en": "time in wrap-up / talks whose wrap-up is known and over",
    },
    "aht_s": {"ja": "平均通話時間 + 平均後処理時間", "en": "ATT + ACW"},
    "offered_erlangs": {
        "ja": "着信呼数 × 平均処理時間 ÷ 時間の長さ",
        "en": "calls offered x AHT / length",
    },
    "carried_erlangs": {
        "ja": "時間内の通話と後処理の秒数 ÷ 時間の長さ",
        "en": "seconds of talk and wrap-up within the interval / its length",
    },
    "occupancy_percent": {
        "ja": "(通話 + 後処理) ÷ (通話 + 後処理 + 待機) × 100",
        "en": "(talk + wrap-up) / (talk + wrap-up + waiting) x 100",
    },
    "utilisation_percent": {
        "ja": "(通話 + 後処理 + 待機) ÷ サインイン時間 × 100",
        "en": "(talk + wrap-up + waiting) / time signed in x 100",
    },
    "callbacks_offered": {
        "ja": "音声で折り返しを提案した着信",
        "en": "calls on which a callback was offered in words",
    },
    "callbacks_taken": {
        "ja": "折り返し予約で終わった着信(時間外を含む)",
        "en": "calls that ended with a promise, offered or asked for by key, also when closed",
    },
    "take_percent": {"ja": "提案して予約された数 ÷ 提案数 × 100", "en": "taken where offered / offered x 100"},
    "promises": {
        "ja": "すべての折り返し(SMS・Webからの予約を含む)",
        "en": "all promises, those by SMS and web included",
    },
    "promises_kept": {"ja": "お約束の時刻までにお話しできた折り返し", "en": "talked in time"},
    "promises_late": {"ja": "お約束の時刻より後にお話しした折り返し", "en": "talked later than promised"},
    "promises_broken": {
        "ja": "お話しできないまま終了した折り返し",
        "en": "over, and never talked: all attempts used, or its lifetime over",
    },
    "promises_overdue": {
        "ja": "お約束の時刻を過ぎて、まだお話しできていない折り返し",
        "en": "open, and the promised time is past",
    },
    "promises_open": {"ja": "期限前で、これから対応する折り返し", "en": "open, and not due"},
    "promises_cancelled": {"ja": "不要になった折り返し", "en": "nobody wants the call any more"},
    "rang_in": {"ja": "お客さまからの再入電でお話しできた折り返し", "en": "talked because the customer rang"},
    "retried": {"ja": "2回以上発信した折り返し", "en": "promises for which more than one call left"},
    "calls_out": {
        "ja": "折り返しのために実際に出た発信",
        "en": "calls that left; one that the gate or a cap stopped is none",
    },
    "kept_percent": {
        "ja": "期限内完了 ÷ (期限内完了 + 遅延完了 + 未達成 + 期限超過) × 100",
        "en": "kept / (kept + late + broken + overdue) x 100",
    },
    "called_in_time_percent": {
        "ja": "期限までに発信またはお話しした数 ÷ 期限のある折り返し × 100",
        "en": "a call left, or they talked, by the promised time / promises with a time x 100",
    },
    "texted": {
        "ja": "電話に出られず、SMSをお送りした折り返し",
        "en": "promises whose customer was not reached by phone, and was sent an SMS",
    },
    "reached_by_sms": {
        "ja": "そのうち、配信が確認できたか返答のあったもの",
        "en": "of those: a receipt says delivered, or they answered",
    },
    "answered_sms": {"ja": "そのうち、返信またはリンクの利用があったもの", "en": "of those: replied, or used the link"},
    "reached_by_sms_percent": {"ja": "SMS到達数 ÷ 不在時SMS送信数 × 100", "en": "reached by SMS / texted x 100"},
    "ranges_known": {
        "ja": "案内した待ち時間のうち、当否が分かったもの",
        "en": "announced waits of callers who were served, or left after the far end of what they were told",
    },
    "ranges_held_percent": {
        "ja": "そのうち、実際の待ち時間が案内の範囲内だった割合",
        "en": "of those, true wait within the range x 100",
    },
    "moved_percent": {
        "ja": "着信順と異なる時刻に対応した割合",
        "en": "turns at another time than in the order of arrival / turns x 100",
    },
    "fairness_gained_s": {
        "ja": "着信順より早く対応した秒数の合計",
        "en": "seconds by which some were served sooner, together",
    },
    "fairness_lost_s": {
        "ja": "着信順より遅く対応した秒数の合計",
        "en": "seconds by which others were served later, together",
    },
    "most_lost_s": {"ja": "着信順より遅れた秒数の最大", "en": "the largest of those"},
    "mean_live_gain_s": {
        "ja": "お電話口でお待ちの方の、着信順と比べた短縮の平均",
        "en": "gains less losses of callers who held / their turns",
    },
    "mean_promise_gain_s": {
        "ja": "折り返しの方の、着信順と比べた短縮の平均",
        "en": "likewise of promises: above 0, callbacks are served at the cost of those who hold",
    },
    # Of an agent
    "callback_talks": {"ja": "通話のうち、こちらから発信したもの", "en": "of the talks, the ones that we called for"},
    "signed_in_s": {"ja": "サインアウト以外の時間", "en": "all time but signed out"},
}
