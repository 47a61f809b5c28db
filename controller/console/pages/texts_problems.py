"""Words about what needs a person, the same on every page: each problem says what is wrong, and what is to be done."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

WORDS: Mapping[str, Mapping[str, str]] = {
    "severity_warning": {"ja": "注意", "en": "Warning"},
    "severity_critical": {"ja": "緊急", "en": "Critical"},
    "problem_since": {"ja": "{at} から", "en": "since {at}"},
    "problem_pbx_away": {"ja": "PBX「{what}」に接続できません。", "en": "The PBX {what} cannot be reached."},
    "do_pbx_away": {
        "ja": "Asteriskの稼働とネットワークを管理者が確認してください。",
        "en": "An administrator should look whether Asterisk runs, and at the network.",
    },
    "problem_trunk_down": {"ja": "回線「{what}」が使えません。", "en": "The trunk {what} is down."},
    "do_trunk_down": {
        "ja": "通信事業者との接続を管理者が確認してください。折り返しはほかの回線で続けます。",
        "en": "An administrator should look at the connection to the provider. Callbacks use other trunks meanwhile.",
    },
    "problem_no_agents": {
        "ja": "「{what}」に対応できるオペレーターがいません。",
        "en": "Nobody is on duty for {what}.",
    },
    "do_no_agents": {
        "ja": "オペレーターのサインインを手配するか、受付を停止してください。",
        "en": "Have somebody sign in, or close the queue.",
    },
    "problem_phone_away": {
        "ja": "{what} さんの電話機が接続されていません。",
        "en": "The phone of {what} is not registered.",
    },
    "do_phone_away": {
        "ja": "電話機(ソフトフォン)の起動とネットワークを確認してください。",
        "en": "Look whether the phone (or softphone) runs, and at its network.",
    },
    "problem_promise_late": {
        "ja": "お約束の時刻を過ぎた折り返しがあります({what})。",
        "en": "A callback is later than was promised ({what}).",
    },
    "do_promise_late": {
        "ja": "スーパーバイザー画面で優先するか、担当者を割り当ててください。",
        "en": "Put it first, or assign it to somebody, on the supervisor's page.",
    },
    "problem_reply_needs_person": {
        "ja": "人による対応が必要なSMSの返信があります。",
        "en": "Replies by SMS need a person.",
    },
    "do_reply_needs_person": {
        "ja": "返信の内容を確認し、お客さまに連絡してください。",
        "en": "Read the reply, and get in touch with the customer.",
    },
    "problem_sms_stopped": {
        "ja": "確認コードのSMS送信を見合わせています。",
        "en": "Codes by SMS are being held back.",
    },
    "do_sms_stopped": {
        "ja": "Webからの申し込みが急に増えています。いたずらでないか管理者が確認してください。",
        "en": "Far more people than usual ask for one on the web. An administrator should look whether that is abuse.",
    },
    "problem_hook_failing": {
        "ja": "外部システム「{what}」に通知できていません。",
        "en": "The webhook {what} does not take what it is told.",
    },
    "do_hook_failing": {
        "ja": "連携先のシステムを管理者が確認してください。復旧後に再送できます。",
        "en": "An administrator should look at that system; what it missed can be sent again: controller hooks retry.",
    },
    "problem_other": {"ja": "確認が必要です: {kind} {what}", "en": "Needs a look: {kind} {what}"},
}
