"""Words that every page of the console has, in Japanese and English. What is in braces is filled in; templates escape.

A page's own words stand in a table of the same shape beside it, and are handed to `render`. Scripts get both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

WORDS: Mapping[str, Mapping[str, str]] = {
    "site": {"ja": "折り返し", "en": "Orikaeshi"},
    "skip": {"ja": "本文へ移動", "en": "Skip to the content"},
    "menu": {"ja": "メニュー", "en": "Menu"},
    "language_name": {"ja": "日本語", "en": "English"},
    "language_choice": {"ja": "言語", "en": "Language"},
    "theme_choice": {"ja": "配色", "en": "Colours"},
    "theme_light": {"ja": "明るい", "en": "Light"},
    "theme_dark": {"ja": "暗い", "en": "Dark"},
    "signed_in_as": {"ja": "{name} さん", "en": "{name}"},
    "sign_out": {"ja": "ログアウト", "en": "Sign out"},
    "needs_script": {
        "ja": "この画面の表示にはJavaScriptが必要です。ブラウザーの設定をご確認ください。",
        "en": "This page needs JavaScript. Please allow it in your browser.",
    },
    # Places
    "place_wallboard": {"ja": "ウォールボード", "en": "Wallboard"},
    "place_desk": {"ja": "オペレーター画面", "en": "Agent desk"},
    "place_supervise": {"ja": "スーパーバイザー画面", "en": "Supervisor"},
    "place_figures": {"ja": "統計", "en": "Figures"},
    "place_recordings": {"ja": "通話録音", "en": "Recordings"},
    "place_audit": {"ja": "操作履歴", "en": "Audit"},
    # When something is in the way
    "signed_out_title": {"ja": "ログインしてください", "en": "Please sign in"},
    "signed_out": {
        "ja": "ログインの有効期限が切れました。もう一度ログインしてください。",
        "en": "You are not signed in any more. Please sign in again.",
    },
    "forbidden_title": {"ja": "この操作は許可されていません", "en": "This is not allowed"},
    "forbidden": {
        "ja": "この画面を表示する権限がありません。必要な場合は管理者にご連絡ください。",
        "en": "Your role does not include this page. If you need it, please ask your administrator.",
    },
    "not_found_title": {"ja": "ページが見つかりません", "en": "Page not found"},
    "not_found": {
        "ja": "アドレスが正しくないか、対象がすでにありません。",
        "en": "The address is wrong, or what it showed is gone.",
    },
    "too_often_title": {"ja": "しばらくお待ちください", "en": "Please wait a moment"},
    "too_often": {
        "ja": "短い時間に多くのアクセスがありました。しばらくしてから、もう一度お試しください。",
        "en": "There were too many requests. Please try again in a while.",
    },
    "refused_title": {"ja": "受け付けられませんでした", "en": "This could not be accepted"},
    "refused": {
        "ja": "送信された内容を受け付けられませんでした。画面を開き直して、もう一度お試しください。",
        "en": "What was sent could not be accepted. Please open the page again and retry.",
    },
    "fault_title": {"ja": "ただいまご利用いただけません", "en": "Not available at the moment"},
    "fault": {
        "ja": "データベースに接続できないか、問題が発生しています。通話は継続しています。しばらくしてから、もう一度"
        "お試しください。",
        "en": "The database cannot be reached, or something else is wrong. Calls go on. Please try again in a while.",
    },
    # Live pages
    "live": {"ja": "接続中", "en": "Live"},
    "connecting": {"ja": "接続しています…", "en": "Connecting…"},
    "lost": {
        "ja": "接続が切れました。{at} 時点の表示です({age}前)。再接続しています…",
        "en": "Connection lost. You see {at}, {age} ago. Reconnecting…",
    },
    "lost_at_once": {
        "ja": "サーバーに接続できません。再接続しています…",
        "en": "The server cannot be reached. Reconnecting…",
    },
    "too_many_streams": {
        "ja": "この画面は同時に開ける数の上限に達しています。ほかのタブを閉じてください。",
        "en": "This page is open too many times. Please close other tabs.",
    },
    # Agents' states and the words of pauses, as reports have them
    "agent_signed_out": {"ja": "サインアウト", "en": "Signed out"},
    "agent_available": {"ja": "待機", "en": "Free"},
    "agent_reserved": {"ja": "割当中", "en": "Reserved"},
    "agent_ringing": {"ja": "呼出中", "en": "Ringing"},
    "agent_on_call": {"ja": "通話", "en": "On a call"},
    "agent_wrap_up": {"ja": "後処理", "en": "Wrap-up"},
    "agent_paused": {"ja": "離席", "en": "Paused"},
    "pause_break": {"ja": "休憩", "en": "Break"},
    "pause_lunch": {"ja": "昼休み", "en": "Lunch"},
    "pause_meeting": {"ja": "会議", "en": "Meeting"},
    "pause_training": {"ja": "研修", "en": "Training"},
    "pause_missed": {"ja": "不応答", "en": "Did not answer"},
    # Who is in line
    "kind_live": {"ja": "待ち呼", "en": "Caller"},
    "kind_promise": {"ja": "折り返し", "en": "Callback"},
    "entry_waiting": {"ja": "待機中", "en": "Waiting"},
    "entry_ringing": {"ja": "オペレーター呼出中", "en": "Agent rings"},
    "entry_dialling": {"ja": "発信中", "en": "Being called"},
    "entry_talking": {"ja": "通話中", "en": "Talking"},
    "urgent": {"ja": "優先", "en": "Urgent"},
    "anonymous": {"ja": "非通知", "en": "Withheld"},
    # Lengths of time, and numbers
    "seconds": {"ja": "{n}秒", "en": "{n} s"},
    "minutes": {"ja": "{n}分", "en": "{n} min"},
    "hours": {"ja": "{n}時間", "en": "{n} h"},
    "range": {"ja": "{low}〜{high}分", "en": "{low} to {high} min"},
    "range_below": {"ja": "{high}分以内", "en": "up to {high} min"},
    "unknown": {"ja": "—", "en": "—"},
}
