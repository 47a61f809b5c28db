"""Words that the agents' desk and the supervisor's page share: why something was not done, and what was before."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

WORDS: Mapping[str, Mapping[str, str]] = {
    # What came of a press of a button
    "doing": {"ja": "{what}: 送信しています…", "en": "{what}: sending…"},
    "done": {"ja": "{what}: 完了しました。", "en": "{what}: done."},
    "not_done": {"ja": "{what}: できませんでした。{why}", "en": "{what}: not done. {why}"},
    # Why the API refused, by the end of `type`
    "problem_not-signed-in": {"ja": "もう一度ログインしてください。", "en": "Please sign in again."},
    "problem_not-allowed": {"ja": "この操作の権限がありません。", "en": "You are not allowed to do this."},
    "problem_not-found": {
        "ja": "対象がすでにありません。通話が終了したか、別の方が対応した可能性があります。",
        "en": "It is gone: the call has ended, or somebody else dealt with it.",
    },
    "problem_not-now": {
        "ja": "現在の状態では実行できません。状態が変わった可能性があります。",
        "en": "It does not fit the present state, which may have changed just now.",
    },
    "problem_number-held": {
        "ja": "この番号には、移動先のキューですでに折り返し予約があります。",
        "en": "The number already has a callback with that queue.",
    },
    "problem_number-blocked": {
        "ja": "この番号は発信禁止リストに登録されています。",
        "en": "The number is on the do-not-call list.",
    },
    "problem_slot-full": {
        "ja": "この時間帯は満席になりました。別の時間帯をお選びください。",
        "en": "That time is not free any more. Please choose another one.",
    },
    "problem_changed": {"ja": "ほかの画面で変更されています。", "en": "It was changed in another window."},
    "problem_invalid": {"ja": "入力内容をご確認ください。", "en": "Please check what you entered."},
    "problem_elsewhere": {
        "ja": "別のサーバーが担当しています。そちらの画面から操作してください。",
        "en": "Another server has this; do it there.",
    },
    "problem_unavailable": {
        "ja": "データベースまたはPBXに接続できません。しばらくしてからもう一度お試しください。",
        "en": "The database or the PBX cannot be reached. Try again in a while.",
    },
    "problem_broken": {"ja": "サーバーで問題が発生しました。", "en": "Something went wrong on the server."},
    # The recording of a talk that goes on
    "recording_running": {"ja": "録音中", "en": "Recording"},
    "recording_paused": {"ja": "録音一時停止中", "en": "Recording paused"},
    "pause_recording": {"ja": "録音を一時停止", "en": "Pause the recording"},
    "resume_recording": {"ja": "録音を再開", "en": "Resume the recording"},
    # What a customer's history tells of
    "past_call": {"ja": "着信", "en": "Call"},
    "past_promise": {"ja": "折り返し予約", "en": "Promise"},
    "past_attempt": {"ja": "発信", "en": "Attempt"},
    "past_note": {"ja": "メモ", "en": "Note"},
    "past_sms": {"ja": "SMS", "en": "SMS"},
    "past_reply": {"ja": "SMS返信", "en": "Reply"},
    "past_waited": {"ja": "待ち {length}", "en": "waited {length}"},
    "past_talked": {"ja": "通話 {length}", "en": "talked {length}"},
    "past_goes_on": {"ja": "進行中", "en": "under way"},
    # How a call ended
    "ending_served": {"ja": "応答", "en": "answered"},
    "ending_promised": {"ja": "折り返し予約", "en": "left a number"},
    "ending_abandoned": {"ja": "放棄呼", "en": "abandoned"},
    "ending_guided": {"ja": "Web誘導", "en": "sent to a page"},
    "ending_transferred": {"ja": "外部転送", "en": "transferred"},
    "ending_informed": {"ja": "案内のみ", "en": "heard a message"},
    "ending_failed": {"ja": "障害", "en": "our fault"},
    # Where a promise stands
    "promise_waiting": {"ja": "折り返し待ち", "en": "waiting"},
    "promise_dialling": {"ja": "発信中", "en": "being called"},
    "promise_connected": {"ja": "通話中", "en": "talking"},
    "promise_fulfilled": {"ja": "完了", "en": "kept"},
    "promise_exhausted": {"ja": "発信回数の上限に到達", "en": "out of attempts"},
    "promise_cancelled": {"ja": "取り消し", "en": "cancelled"},
    "promise_expired": {"ja": "期限切れ", "en": "expired"},
    # How an attempt ended
    "outcome_talked": {"ja": "通話", "en": "talked"},
    "outcome_declined": {"ja": "不要とのご回答", "en": "no longer needed"},
    "outcome_not_confirmed": {"ja": "キー操作なし", "en": "no key pressed"},
    "outcome_machine": {"ja": "留守番電話", "en": "answering machine"},
    "outcome_postponed": {"ja": "あとでとのご希望", "en": "later, please"},
    "outcome_dropped": {"ja": "応答後に切断", "en": "hung up at once"},
    "outcome_abandoned": {"ja": "オペレーター待ちで切断", "en": "hung up before an agent came"},
    "outcome_busy": {"ja": "話し中", "en": "busy"},
    "outcome_no_answer": {"ja": "不応答", "en": "no answer"},
    "outcome_rejected": {"ja": "着信拒否", "en": "rejected"},
    "outcome_invalid_number": {"ja": "番号なし", "en": "no such number"},
    "outcome_unreachable": {"ja": "圏外・電源オフ", "en": "unreachable"},
    "outcome_congestion": {"ja": "回線混雑", "en": "network full"},
    "outcome_agent_lost": {"ja": "オペレーター不応答", "en": "agent did not answer"},
    "outcome_withdrawn": {"ja": "発信取りやめ", "en": "withdrawn"},
    "outcome_not_allowed": {"ja": "発信対象外の番号", "en": "number not allowed"},
    "outcome_outside_hours": {"ja": "発信時間外", "en": "outside calling hours"},
    "outcome_blocked": {"ja": "発信禁止", "en": "do not call"},
    "outcome_over_cap": {"ja": "発信上限", "en": "cap reached"},
    "outcome_dry_run": {"ja": "試験運転", "en": "dry run"},
    "outcome_not_placed": {"ja": "発信できず", "en": "could not be placed"},
    "outcome_unknown": {"ja": "結果不明", "en": "unknown"},
    # Which SMS
    "sms_not_reached": {"ja": "不在のお知らせ", "en": "we called"},
    "sms_gave_up": {"ja": "最終のお知らせ", "en": "we called for the last time"},
    "sms_expired": {"ja": "お電話できなかったお詫び", "en": "we could not call in time"},
    "sms_web_page": {"ja": "Webページのご案内", "en": "a web page"},
    "sms_missed_you": {"ja": "お電話いただいたお客様へのご案内", "en": "how to be called back"},
    "sms_confirmed": {"ja": "予約の確認", "en": "confirmation"},
    "sms_running_late": {"ja": "遅れのお知らせ", "en": "running late"},
    "sms_cancelled": {"ja": "取り消しの確認", "en": "cancelled"},
    "sms_booking_link": {"ja": "予約ページのご案内", "en": "booking page"},
    "sms_code": {"ja": "確認コード", "en": "code"},
    "sms_reply_help": {"ja": "返信方法のご案内", "en": "how to reply"},
    "sms_time_taken": {"ja": "満席のお知らせ", "en": "time not free"},
    "status_queued": {"ja": "送信待ち", "en": "queued"},
    "status_sending": {"ja": "送信中", "en": "sending"},
    "status_sent": {"ja": "送信済み", "en": "sent"},
    "status_unknown": {"ja": "結果不明", "en": "unknown"},
    "status_delivered": {"ja": "配信済み", "en": "delivered"},
    "status_undelivered": {"ja": "未配信", "en": "not delivered"},
    "status_failed": {"ja": "失敗", "en": "failed"},
    "status_blocked": {"ja": "送信停止", "en": "not sent"},
    "status_lapsed": {"ja": "送信見送り", "en": "came too late"},
}
