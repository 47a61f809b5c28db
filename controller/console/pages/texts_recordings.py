"""Every word of the page of recordings, in Japanese and English. What is in braces is filled in."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

WORDS: Mapping[str, Mapping[str, str]] = {
    "re_title": {"ja": "通話録音", "en": "Recordings"},
    "re_help": {
        "ja": "録音の再生と削除は、操作した方の名前とともに、そのつど操作履歴に記録されます。",
        "en": "Each time a recording is heard or deleted, it is written into the audit with your name.",
    },
    "re_kept": {
        "ja": "保存期間を過ぎた録音は、自動的に削除されます。",
        "en": "Those that are older than the settings allow are deleted by themselves.",
    },
    # What is asked for
    "re_since": {"ja": "開始日", "en": "From"},
    "re_until": {"ja": "終了日", "en": "To"},
    "re_queue": {"ja": "キュー", "en": "Queue"},
    "re_all_queues": {"ja": "すべてのキュー", "en": "all queues"},
    "re_agent": {"ja": "オペレーター", "en": "Agent"},
    "re_number": {"ja": "お客様の電話番号", "en": "Customer's number"},
    "re_show": {"ja": "表示する", "en": "Show"},
    "re_all": {"ja": "条件を解除する", "en": "Show all"},
    "re_wrong_day": {
        "ja": "日付が正しくないため、日付を指定せずに表示しています。",
        "en": "That is no day; recordings of all days are shown.",
    },
    "re_wrong_number": {
        "ja": "電話番号が正しくありません。市外局番から、または国番号(+81など)から入力してください。",
        "en": "That is no phone number. Write it as it is dialled at home, or with + and the country.",
    },
    # What is there
    "re_at": {"ja": "通話日時", "en": "When"},
    "re_customer": {"ja": "お客様", "en": "Customer"},
    "re_length": {"ja": "長さ", "en": "Length"},
    "re_consent": {"ja": "録音の同意", "en": "Consent"},
    "re_sound": {"ja": "録音", "en": "Sound"},
    "re_act": {"ja": "操作", "en": "Actions"},
    "consent_told": {"ja": "告知済み", "en": "told"},
    "consent_agreed": {"ja": "同意あり", "en": "agreed"},
    "consent_refused": {"ja": "同意なし", "en": "refused"},
    "re_going_on": {
        "ja": "通話中です。通話が終わると再生できます。",
        "en": "They still talk; hear it afterwards.",
    },
    "re_elsewhere": {
        "ja": "この録音があるAsterisk「{pbx}」は、別のサーバーが担当しているか、現在担当するサーバーがありません。"
        "担当するサーバーの画面で再生してください。",
        "en": "Its Asterisk, “{pbx}”, belongs to another server, or to none now. Hear it on that server's page.",
    },
    "re_hear": {
        "ja": "録音の再生: {at}、{queue}、{agent}",
        "en": "Hear the recording: {at}, {queue}, {agent}",
    },
    "re_not_heard": {
        "ja": "録音を再生できません。音声のあるAsteriskか、操作履歴を記録するデータベースに接続できないか、"
        "音声がすでにありません。しばらくしてから、画面を開き直してもう一度お試しください。",
        "en": "It cannot be played: its Asterisk or the database with the audit is away, or the sound is gone. Open "
        "the page again in a while.",
    },
    "re_none": {"ja": "該当する録音はありません。", "en": "There are no such recordings."},
    "re_off": {
        "ja": "現在、録音を行う設定のキューはありません。",
        "en": "No queue is set to record its talks.",
    },
    "re_older": {"ja": "さらに前を表示", "en": "Older recordings"},
    # Deleting
    "re_delete": {"ja": "削除", "en": "Delete"},
    "re_delete_one": {
        "ja": "録音を削除: {at}、{queue}、{agent}",
        "en": "Delete the recording: {at}, {queue}, {agent}",
    },
    "re_delete_title": {"ja": "録音の削除", "en": "Delete a recording"},
    "re_delete_sure": {
        "ja": "この録音を削除します。削除した録音は元に戻せません。",
        "en": "This recording is deleted for good. It cannot be taken back.",
    },
    "re_delete_now": {"ja": "削除する", "en": "Delete for good"},
    "re_keep": {"ja": "キャンセル", "en": "Keep it"},
    "re_deleted": {"ja": "録音を削除しました: {what}", "en": "The recording is deleted: {what}"},
    "problem_not-found": {"ja": "この録音はすでにありません。", "en": "There is no such recording any more."},
    "problem_not-now": {
        "ja": "通話中の録音は削除できません。通話が終わってから操作してください。",
        "en": "They still talk. Delete it afterwards.",
    },
}
