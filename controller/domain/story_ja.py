"""The history of a promise as lines in Japanese: what happened when, and why. Without phone numbers.

What `timeline.py` and `comes_next.py` tell in English; the reasons are those of the policy as it is now, likewise.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from controller.domain.outcome import NEVER_SENT, Outcome
from controller.domain.owed_texts import can_tell_late
from controller.domain.promise import PromiseState
from controller.domain.retry_policy import next_try
from controller.domain.story_words_ja import (
    ON_BEHALF,
    OUTCOMES,
    POSTPONED,
    REPLY_MEANS,
    SERVED,
    SMS_SAYS,
    SMS_STANDS,
    STATES,
    WHOSE,
    duration_ja,
    evidence_ja,
    gap_ja,
    moment_ja,
)
from controller.domain.timeline import AT_ONCE, BY_API, BY_DESK, BY_LINK, BY_SMS, Line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from controller.domain.comes_next import Next
    from controller.domain.history import History, Replied, Step, Tried, Written
    from controller.domain.line import Decision
    from controller.domain.promise import Promise
    from controller.domain.retry_policy import RetryPolicy

_SAME = timedelta(seconds=1)
_YEAR_S = 365 * 86_400
_ASKED = {"Made": "折り返し予約を受け付けました", "Merged": "再度のご希望を同じ予約にまとめました"}
_PLAIN = {
    "CustomerConnected": (
        "お客様とオペレーターがつながりました",
        "お客様の確認操作がありました。以後の発信は行いません",
    ),
    "CustomerRangIn": ("お客様からの入電で完了しました", "折り返しの前にオペレーターとお話しになりました"),
    "DeadlinePassed": ("期限が切れました", "有効期間内に完了できませんでした"),
}


def timeline_ja(history: History, policy: RetryPolicy) -> tuple[Line, ...]:
    """Return all that happened, in the order of time; times within the lines are on the clock of `policy.zone`."""
    telling = _Telling(history, policy)
    lines = [*telling.steps(), *map(_given, history.decisions)]
    lines += [telling.written(one) for one in history.written]
    lines += [telling.replied(one) for one in history.replied]
    return tuple(sorted(lines, key=lambda line: line.at))


def comes_next_ja(promise: Promise, after: Next, now: datetime, policy: RetryPolicy) -> tuple[str, ...]:
    """Return the lines of what comes next as of `now` (aware), in Japanese."""
    if promise.state.is_final:
        return (f"今後の予定はありません(状態: {STATES[promise.state.value]})",)
    lines = [*_when(promise, after, now, policy)]
    lines.append(
        f"残り: 試行{after.attempts_left}回(上限{policy.max_attempts}回)、"
        f"発信{after.calls_left}回(上限{policy.max_dials}回)"
    )
    lines.append(f"有効期限: {moment_ja(promise.expires_at, policy.zone)}")
    is_waiting = promise.state is PromiseState.WAITING
    if is_waiting and promise.slot is not None and can_tell_late(promise, now):
        ends = moment_ja(promise.slot.ends_at, policy.zone)
        lines.append(f"予約枠は{ends}までです。間に合わない場合は、事前にSMSでお知らせします")
    if is_waiting and after.callable_from is not None and after.callable_from >= promise.expires_at:
        lines.append("発信できるようになる前に期限が切れます。お客様にはSMSでお知らせします")
    return tuple(lines)


def _when(promise: Promise, after: Next, now: datetime, policy: RetryPolicy) -> Iterator[str]:
    if promise.state is PromiseState.DIALLING:
        yield "発信中です。結果によって次の予定が決まります"
    elif promise.state is PromiseState.CONNECTED:
        yield "お客様とオペレーターが通話中です。終話をもって完了となります"
    else:
        due_at = moment_ja(promise.not_before, policy.zone)
        if promise.not_before > now:
            yield f"{due_at}以降に発信します({duration_ja((promise.not_before - now).total_seconds())}後)"
        else:
            yield f"{due_at}から発信対象です。待ち行列の順番が来しだい発信します"
        if after.callable_from is None:
            yield "この番号に発信できる時間帯がありません"
        elif after.callable_from > max(now, promise.not_before):
            yield f"発信できるのは{moment_ja(after.callable_from, policy.zone)}からです"
        else:
            yield "発信できる時間帯です"


class _Telling:
    """Goes through the steps, and keeps count of the calls."""

    def __init__(self, history: History, policy: RetryPolicy) -> None:
        self._history = history
        self._policy = policy
        self._tried = {one.id: one for one in history.tried}
        self._open: Tried | None = None
        self._attempt = 0
        self._left = 0
        """Calls that left so far, as `Promise.dials` counts them."""

    def steps(self) -> Iterator[Line]:
        last = len(self._history.steps)
        for place, step in enumerate(self._history.steps, start=1):
            yield Line(step.at, *self._told(step, step.detail.split(), is_last=place == last))

    def written(self, one: Written) -> Line:
        """Return what became of an SMS."""
        settled = f"({self._clock(one.receipt_at or one.settled_at)})" if one.receipt_at or one.settled_at else ""
        error = one.receipt_error or one.error
        what = f"SMS: {SMS_STANDS.get(one.status, one.status)}{settled}"
        return Line(one.queued_at, what, "、".join(filter(None, [SMS_SAYS.get(one.template, one.template), error])))

    def replied(self, one: Replied) -> Line:
        """Return what a reply was taken for."""
        if one.handled_at is None:
            return Line(one.at, "お客様からSMSの返信がありました", "これから処理します")
        person = "。担当者による確認が必要です" if one.needs_person else ""
        return Line(one.at, "お客様からSMSの返信がありました", f"{REPLY_MEANS.get(one.meaning, one.meaning)}{person}")

    def _told(self, step: Step, words: list[str], *, is_last: bool) -> tuple[str, str]:
        match step.event:
            case "Made" | "Merged":
                return _ASKED[step.event], self._asked(words)
            case "AttemptStarted":
                return self._started(words)
            case "AttemptEnded":
                return self._ended(step, words, is_last=is_last)
            case "Cancelled":
                reason = ON_BEHALF.get(words[0] if words else "", "取り消しました")
                return reason, "以後の発信は行いません"
            case "Postponed":
                until = _instant(words[-1]) if words else None
                what = f"{self._clock(until)}まで延期しました" if until else "延期しました"
                return what, f"{POSTPONED.get(words[0] if words else '', '理由は不明です')}。試行回数には数えません"
            case "RunningLate":
                expected = _instant(words[-1]) if words else None
                when = f"発信の見込みは{self._clock(expected)}です。" if expected else ""
                return "予約枠に間に合わない見込みです", f"{when}枠が終わる前にSMSでお知らせします"
            case _:
                return _PLAIN.get(step.event) or _by_supervisor(step, words)

    def _asked(self, words: list[str]) -> str:
        window = _instant(words[-1]) if words else None
        call = words[0] if words and not (window and len(words) == 1) else ""
        return f"{_asked_by(call)}、{f'{self._clock(window)}からの枠' if window else 'できるだけ早く'}"

    def _started(self, words: list[str]) -> tuple[str, str]:
        self._attempt += 1
        self._left += 1
        self._open = tried = self._tried.get(words[0]) if words else None
        who = "" if not tried else "(お客様を先に呼び出し)" if tried.customer_first else f"(担当: {tried.agent})"
        by_hand = "、手動での再架電" if tried and tried.by_hand else ""
        return f"{self._attempt}回目の発信{who}{by_hand}", "発信の前に記録しています"

    def _ended(self, step: Step, words: list[str], *, is_last: bool) -> tuple[str, str]:
        tried, self._open = self._open, None
        outcome = Outcome(words[0]) if words and words[0] in {one.value for one in Outcome} else None
        call = max(1, self._left)
        if outcome is None:
            return f"{self._attempt}回目の発信が終了しました", step.detail
        if outcome in NEVER_SENT:
            self._left -= 1
        seen = evidence_ja(tried.evidence, tried.ended_at, self._policy.zone) if tried else ""
        over = f"({tried.evidence.trunk}経由)" if tried and tried.evidence.trunk else ""
        whom = f"、担当: {tried.agent}" if tried and tried.customer_first and tried.agent else ""
        what = f"{self._attempt}回目の発信{over}: {OUTCOMES[outcome]}{whom}{f'({seen})' if seen else ''}"
        whose = f"{WHOSE[outcome.fault]}。" if WHOSE[outcome.fault] else ""
        return what, whose + self._follows(step, outcome, words[1:], call, is_last=is_last)

    def _follows(self, step: Step, outcome: Outcome, more: list[str], call: int, *, is_last: bool) -> str:
        """Return what the outcome led to, and by which rule."""
        if step.state is PromiseState.FULFILLED:
            return "折り返しは完了です"
        rule = self._policy.rule(outcome) if outcome is not Outcome.TALKED else None
        if step.state is PromiseState.CANCELLED or rule is None:
            return "折り返しは不要とのことです" if outcome is Outcome.DECLINED else "その間に取り消されていました"
        uses = "試行回数に数えます" if rule.uses_attempt else "試行回数には数えません"
        if step.state is PromiseState.EXHAUSTED:
            ends = "この結果の場合は再発信しない設定です" if rule.ends else "試行または発信の上限に達しました"
            return f"{uses}。再発信はしません: {ends}"
        if AT_ONCE in more:
            return f"{uses}。別の回線ですぐに再発信します"
        later_s = _seconds(more[0]) if outcome is Outcome.POSTPONED and more else None
        if later_s is not None:
            due_at, because = step.at + timedelta(seconds=later_s), f"お客様が{duration_ja(later_s)}後を選択されました"
        else:
            zone, promise_id = self._policy.zone, self._history.promise.id
            due_at = next_try(rule.gap, step.at, promise_id=promise_id, call=call, zone=zone)
            because = gap_ja(rule.gap)
        agreed = self._history.promise.not_before
        if is_last and abs(agreed - due_at) > _SAME:  # The row knows: a window was chosen, or the rule was another.
            due_at, because = agreed, "お約束の時刻です"
        return f"{uses}。次の発信は{self._clock(due_at)}以降: {because}"

    def _clock(self, instant: datetime | None) -> str:
        return moment_ja(instant, self._policy.zone) if instant else ""


def _given(decision: Decision) -> Line:
    passed = f"、先に到着した{len(decision.passed)}件を追い越しました" if decision.passed else ""
    agent = f"{decision.agent}に割り当てました" if decision.agent else "順番が来ました"
    return Line(decision.at, f"{agent}(待ち行列の{decision.place}番目)", f"{SERVED[decision.reason]}{passed}")


def _by_supervisor(step: Step, words: list[str]) -> tuple[str, str]:
    """Return what a supervisor did; an event that nobody knows as it stands."""
    match step.event, words:
        case "Prioritised", []:
            return "至急の指定を解除しました", "到着順に戻ります"
        case "Prioritised", _:
            return "至急に指定しました", "至急でない案件より先に対応します"
        case "Assigned", []:
            return "担当者の指定を解除しました", "どのオペレーターも対応できます"
        case "Assigned", _:
            return f"担当者を{step.detail}に指定しました", "勤務中はこのオペレーターだけが対応します"
        case "Moved", [left, kept_by, *window]:
            lost = "。予約枠はなくなりました" if window else ""
            return f"キューを{left}から{kept_by}へ移しました", f"順番はそのままです{lost}"
        case _:
            return step.event, step.detail


def _asked_by(call: str) -> str:
    """Return how somebody asked, by the id under which they did."""
    ways = {
        BY_LINK: "予約ページから",
        BY_SMS: "SMSで",
        BY_DESK: "オペレーターの画面から",
        BY_API: "画面または外部システムから",
    }
    for beginning, way in ways.items():
        if call.startswith(beginning):
            return way
    return f"通話 {call} で" if call else "お電話で"


def _instant(word: str) -> datetime | None:
    """Return the instant that a word is; None when it is another word, or without a zone."""
    try:
        found = datetime.fromisoformat(word)
    except ValueError:
        return None
    return found if found.tzinfo else None


def _seconds(word: str) -> float | None:
    """Return the seconds that a word is, up to a year; None when it is another word."""
    try:
        found = float(word)
    except ValueError:
        return None
    return found if 0 <= found <= _YEAR_S else None
