"""Every word of the agents' desk, in Japanese and English. What is in braces is filled in."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

WORDS: Mapping[str, Mapping[str, str]] = {
    "desk_title": {"ja": "オペレーター画面", "en": "Agent desk"},
    "no_agent_title": {"ja": "オペレーターの登録がありません", "en": "You are no agent"},
    "no_agent": {
        "ja": "このアカウントにはオペレーターが割り当てられていません。必要な場合は管理者にご連絡ください。",
        "en": "Your account has no agent's phone. If you need one, please ask your administrator.",
    },
    "agent_unknown": {
        "ja": "オペレーター「{agent}」が設定に見つかりません。管理者にご連絡ください。",
        "en": "There is no agent “{agent}” in the settings. Please tell your administrator.",
    },
    # The state, and the buttons that change it
    "state_heading": {"ja": "現在の状態", "en": "Your state"},
    "state_buttons": {"ja": "状態の変更", "en": "Change your state"},
    "pause_buttons": {"ja": "離席", "en": "Pause"},
    "to_available": {"ja": "待機", "en": "Available"},
    "to_signed_out": {"ja": "サインアウト", "en": "Off duty"},
    "to_pause": {"ja": "離席({reason})", "en": "Pause ({reason})"},
    "more_wrap_up": {"ja": "後処理を1分延長", "en": "One minute more"},
    "hang_up": {"ja": "電話を切る", "en": "Hang up"},
    "phone_away": {"ja": "電話機が接続されていません。", "en": "Your phone is not registered."},
    "phone_in_use": {"ja": "電話機が使用中のため、着信しません。", "en": "Your phone is in use, and is not rung."},
    "rest_left": {"ja": "残り {left}", "en": "{left} left"},
    "after_call": {
        "ja": "{what}: 受け付けました。通話が終わり次第、切り替わります。",
        "en": "{what}: noted. It takes effect after this call.",
    },
    "recording_hint": {
        "ja": "カード番号などをうかがう間は、録音を一時停止してください。",
        "en": "Pause it while the customer says the number of a card.",
    },
    "recording_paused_hint": {
        "ja": "今の会話は録音されていません。うかがい終わりましたら再開してください。",
        "en": "Nothing is kept of what is said now. Resume it afterwards.",
    },
    "shortcuts": {
        "ja": "キー操作: Alt+1 待機、Alt+2 離席(先頭の理由)、Alt+3 後処理を延長、Alt+4 録音の一時停止・再開、"
        "Alt+N メモへ移動",
        "en": "Keys: Alt+1 available, Alt+2 pause (first reason), Alt+3 more wrap-up, Alt+4 recording off and on, "
        "Alt+N to the note",
    },
    "tell_me": {"ja": "着信をデスクトップに通知する", "en": "Notify me when it rings"},
    "tell_me_on": {"ja": "デスクトップ通知: オン", "en": "Notifications are on"},
    "tell_me_refused": {
        "ja": "通知はブラウザーの設定で許可されていません。",
        "en": "Your browser does not allow notifications here.",
    },
    "sound": {"ja": "着信音を鳴らす", "en": "Make a sound when it rings"},
    "it_rings": {"ja": "着信: {queue}", "en": "Call: {queue}"},
    # Before a customer is dialled
    "preview_heading": {"ja": "発信の前に", "en": "Before the call"},
    "preview_dial": {"ja": "発信する", "en": "Call"},
    "preview_to_colleague": {"ja": "ほかの人に回す", "en": "To a colleague"},
    "preview_put_off": {"ja": "あとにする", "en": "Put off"},
    # The card
    "card_heading": {"ja": "お客様", "en": "Customer"},
    "card_nobody": {"ja": "現在、対応中のお客様はいません。", "en": "You serve nobody at the moment."},
    "card_loading": {"ja": "お客様の情報を読み込んでいます…", "en": "Looking up the customer…"},
    "card_failed": {
        "ja": "お客様の情報を読み込めません。再試行しています。{why}",
        "en": "The customer cannot be looked up; trying again. {why}",
    },
    "card_number": {"ja": "電話番号", "en": "Number"},
    "card_why": {"ja": "用件", "en": "Why"},
    "card_why_live": {"ja": "{queue}への着信", "en": "Caller for {queue}"},
    "card_why_promise": {"ja": "{queue}の折り返し", "en": "Callback of {queue}"},
    "card_dialled": {"ja": "お客様がかけた番号", "en": "They rang"},
    "card_since": {"ja": "最初の着信から", "en": "Since they arrived"},
    "card_hold": {"ja": "保留でお待ちいただいた時間", "en": "Time on hold"},
    "card_told": {"ja": "ご案内した待ち時間", "en": "The wait they were told"},
    "card_promised": {"ja": "お約束", "en": "Promised"},
    "card_slot": {"ja": "{start}〜{end}", "en": "{start} to {end}"},
    "card_soon": {"ja": "順番がまわり次第", "en": "as soon as it is their turn"},
    "card_by": {"ja": "{at}まで", "en": "by {at}"},
    "card_late": {"ja": "遅れをお知らせ済み", "en": "They were told that we are late"},
    "card_attempts": {"ja": "これまでの発信", "en": "Attempts so far"},
    "card_attempts_n": {"ja": "{n}回", "en": "{n}"},
    "card_last": {"ja": "{n}回、前回: {outcome}", "en": "{n}, the last: {outcome}"},
    "card_crm": {"ja": "CRMで開く", "en": "Open in the CRM"},
    "past_heading": {"ja": "これまでの経緯", "en": "What was before"},
    "past_none": {"ja": "この番号の記録はありません。", "en": "Nothing is known of this number."},
    "past_more": {"ja": "これより前の記録は省略しています。", "en": "What was before that is left out."},
    # The note
    "note_heading": {"ja": "通話のメモ", "en": "Note of the talk"},
    "note_before": {"ja": "前の通話({at})のメモ", "en": "Note of the talk before ({at})"},
    "note_none": {
        "ja": "通話が始まると、ここにメモを入力できます。",
        "en": "You can write here once there is a call.",
    },
    "note_disposition": {"ja": "対応結果", "en": "What it came to"},
    "note_no_disposition": {"ja": "未選択", "en": "none yet"},
    "note_text": {"ja": "メモ(自動保存)", "en": "Note (saved as you write)"},
    "note_saving": {"ja": "保存しています…", "en": "Saving…"},
    "note_saved": {"ja": "{at} に保存しました。", "en": "Saved at {at}."},
    "note_typing": {"ja": "未保存の変更があります。", "en": "Not saved yet."},
    "note_retry": {
        "ja": "まだ保存できていません。入力内容は保持しており、自動的に再試行します。{why}",
        "en": "Not saved yet. What you wrote is kept here, and sent again by itself. {why}",
    },
    "note_refused": {
        "ja": "保存できませんでした。必要な内容は控えてください。{why}",
        "en": "It was not saved. Copy what you still need. {why}",
    },
    "note_conflict": {
        "ja": "ほかの画面で、このメモが次のように変更されています。どちらを残しますか。",
        "en": "In another window this note was changed to the following. Which one is to stay?",
    },
    "note_take_theirs": {"ja": "ほかの画面の内容にする", "en": "Take that one"},
    "note_keep_mine": {"ja": "この画面の内容を残す", "en": "Keep mine"},
    "note_left_over": {"ja": "保存できなかったメモ({at})", "en": "A note that was not saved ({at})"},
    "note_discard": {"ja": "確認したので閉じる", "en": "Seen; close it"},
    # A callback for the customer
    "redial_heading": {"ja": "再架電の予約", "en": "Book a callback"},
    "redial_none": {
        "ja": "お客様の対応中と対応後に予約できます。",
        "en": "You can book one while you serve a customer, and afterwards.",
    },
    "redial_no_number": {
        "ja": "この番号には発信できません。別の番号を入力してください。",
        "en": "This number cannot be called. Enter another one.",
    },
    "redial_open": {"ja": "空いている時間を表示", "en": "Show free times"},
    "redial_when": {"ja": "日時", "en": "When"},
    "redial_soon": {"ja": "できるだけ早く({at}以降)", "en": "As soon as possible (from {at})"},
    "redial_soon_later": {
        "ja": "できるだけ早く(営業開始後、{at}以降)",
        "en": "As soon as possible (when we open, from {at})",
    },
    "redial_after_talk": {
        "ja": "できるだけ早く(通話終了後に予約できます)",
        "en": "As soon as possible (can be booked once the talk is over)",
    },
    "redial_window": {"ja": "{start}〜{end}", "en": "{start} to {end}"},
    "redial_number": {"ja": "別の番号(任意)", "en": "Another number (optional)"},
    "redial_confirm": {"ja": "予約内容をSMSでお客様に送る", "en": "Tell the customer by SMS"},
    "redial_book": {"ja": "予約する", "en": "Book"},
    "redial_done": {
        "ja": "{printed} への再架電を予約しました: {when}",
        "en": "Booked a callback to {printed}: {when}",
    },
    "redial_merged": {
        "ja": "{printed} の既存の折り返し予約を変更しました: {when}",
        "en": "{printed} had a callback already, which is now: {when}",
    },
    "redial_talking": {
        "ja": "この通話が終わってから(後処理中に)予約してください。",
        "en": "Book it in the wrap-up, once this talk is over.",
    },
}
