"""Outcomes, reasons and gaps in Japanese, for whoever reads the story of a promise on a screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.domain.evidence import AnsweredBy
from controller.domain.line import DecisionReason
from controller.domain.outcome import Fault, Outcome
from controller.domain.retry_policy import Gap, Wait
from controller.domain.sms import SmsStatus

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, tzinfo

    from controller.domain.evidence import Evidence

OUTCOMES = {
    Outcome.TALKED: "通話完了",
    Outcome.DECLINED: "お客様が折り返し不要を選択",
    Outcome.NOT_CONFIRMED: "応答後の確認操作なし",
    Outcome.MACHINE: "留守番電話",
    Outcome.POSTPONED: "お客様が後ほどの折り返しを選択",
    Outcome.DROPPED: "確認前に切断",
    Outcome.ABANDONED: "オペレーター接続前に切断",
    Outcome.BUSY: "話中",
    Outcome.NO_ANSWER: "応答なし",
    Outcome.REJECTED: "着信拒否",
    Outcome.INVALID_NUMBER: "無効な番号",
    Outcome.UNREACHABLE: "圏外・不通",
    Outcome.CONGESTION: "回線の混雑",
    Outcome.AGENT_LOST: "オペレーターが応答せず",
    Outcome.WITHDRAWN: "発信を取り下げ",
    Outcome.NOT_ALLOWED: "発信できない番号",
    Outcome.OUTSIDE_HOURS: "発信可能時間外",
    Outcome.BLOCKED: "発信禁止リストの番号",
    Outcome.OVER_CAP: "発信数または料金の上限",
    Outcome.DRY_RUN: "試行モードのため発信せず",
    Outcome.NOT_PLACED: "PBXから発信できず",
    Outcome.UNKNOWN: "結果不明",
}
WHOSE = {
    Fault.NOBODY: "",
    Fault.CUSTOMER: "お客様側の事情です",
    Fault.NETWORK: "電話網の事情です",
    Fault.AGENT: "オペレーター側の事情です",
    Fault.OURS: "システム側の事情です",
}
ON_BEHALF = {
    "customer": "お客様のご希望により取り消しました",
    "admin": "管理者が取り消しました",
    "supervisor": "スーパーバイザーが取り消しました",
    "stop": "今後の連絡を希望されないため取り消しました",
}
POSTPONED = {
    "agent": "オペレーターが後回しにしました",
    "supervisor": "スーパーバイザーが後回しにしました",
    "over_cap": "発信数または料金の上限に達したためです",
    "outside_hours": "発信できる時間帯ではなかったためです",
}
SERVED = {
    DecisionReason.ARRIVAL: "先に到着したお客様がいないためです",
    DecisionReason.URGENT: "至急の案件のためです",
    DecisionReason.STARVING: "これ以上後回しにできないためです",
}
STATES = {
    "waiting": "待機中",
    "dialling": "発信中",
    "connected": "通話中",
    "fulfilled": "完了",
    "exhausted": "発信終了(つながらず)",
    "cancelled": "取消",
    "expired": "期限切れ",
}
SMS_SAYS = {
    "not_reached": "お電話したこと、改めておかけすることのご案内",
    "gave_up": "お電話したこと、今後はおかけしないことのご案内",
    "expired": "期限までにお電話できなかったことのお詫び",
    "web_page": "Webページのご案内",
    "missed_you": "待ち呼の途中で切れたお客様への折り返しのご案内",
    "confirmed": "予約内容の確認",
    "running_late": "予約枠に遅れること、見込み時刻のご案内",
    "cancelled": "取消の確認",
    "booking_link": "予約ページのご案内",
    "code": "番号確認コード",
    "reply_help": "返信方法のご案内",
    "time_taken": "ご希望の時間が満席であることのご案内",
}
SMS_STANDS: dict[str, str] = {
    SmsStatus.QUEUED: "送信待ち",
    SmsStatus.SENDING: "送信中",
    SmsStatus.SENT: "送信済み",
    SmsStatus.UNKNOWN: "送信結果が不明(再送はしません)",
    SmsStatus.DELIVERED: "到達",
    SmsStatus.UNDELIVERED: "不達",
    SmsStatus.FAILED: "送信失敗",
    SmsStatus.BLOCKED: "送信せず(送信不可)",
    SmsStatus.LAPSED: "送信せず(不要になったため)",
}
REPLY_MEANS = {
    "now": "できるだけ早い折り返しのご希望",
    "time": "時間のご指定(空きあり)",
    "time_taken": "時間のご指定(空きがなく、空いている時間をご案内)",
    "cancel": "折り返し不要のご連絡",
    "stop": "今後の連絡を希望しないとのご連絡",
    "not_understood": "内容を読み取れませんでした",
    "blocked": "折り返しのご希望(連絡停止の登録あり)",
    "stranger": "該当する案件のない方からの返信",
    "failed": "処理に失敗しました",
}
_BY = {AnsweredBy.HUMAN: "人", AnsweredBy.MACHINE: "留守番電話", AnsweredBy.UNSURE: "人か留守番電話か不明"}
_UNITS = (("日", 86_400), ("時間", 3600), ("分", 60), ("秒", 1))


def duration_ja(seconds: float) -> str:
    """Return how long, in its two largest units: `1時間30分`."""
    if seconds < 1:
        return f"{seconds:g}秒"
    left, parts = round(seconds), []
    for name, size in _UNITS:
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count}{name}")
    return "".join(parts[:2])


def moment_ja(instant: datetime, zone: tzinfo) -> str:
    """Return an instant on the clock of `zone`: `11月20日14:05`."""
    local = instant.astimezone(zone)
    return f"{local.month}月{local.day}日{local:%H:%M}"


def gap_ja(gap: Gap) -> str:
    """Return how long is waited after a call."""
    if not isinstance(gap, Wait):
        return "翌日の同じ時刻まで間隔を空けます"
    if not gap.first_s:
        return "間隔は空けません"
    grows = f"(発信のたびに{gap.growth:g}倍)" if gap.growth != 1 else ""
    return f"{duration_ja(gap.first_s)}{grows}の間隔を空けます"


def evidence_ja(evidence: Evidence, ended_at: datetime | None, zone: tzinfo) -> str:
    """Return what was seen of a call; "" when nothing was."""
    return "、".join(_seen(evidence, ended_at, zone))


def _seen(evidence: Evidence, ended_at: datetime | None, zone: tzinfo) -> Iterator[str]:
    if evidence.tech_cause:
        yield f"SIP {evidence.tech_cause}"
    if evidence.cause:
        yield f"理由コード {evidence.cause}"
    if evidence.rang and evidence.answered_at is None:
        yield "呼出音あり"
    if evidence.timed_out:
        yield "呼出時間の上限"
    if evidence.answered_at is not None:
        by = f"({_BY[evidence.answered_by]})" if evidence.answered_by in _BY else ""
        yield f"{evidence.answered_at.astimezone(zone):%H:%M:%S}に応答{by}"
    if evidence.confirmed_at is not None:
        yield f"{evidence.confirmed_at.astimezone(zone):%H:%M:%S}に確認操作"
    if evidence.answered_at is not None and ended_at is not None:
        yield f"通話時間{duration_ja(max(0.0, (ended_at - evidence.answered_at).total_seconds()))}"
