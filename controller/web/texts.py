"""Every word on the pages, in Japanese and English, and how times are written.

Japanese as a call centre writes to a customer; English plain. What is in braces is filled in; templates escape it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from controller.web.house import FALLBACK, LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date, datetime
    from zoneinfo import ZoneInfo

    from controller.domain.slots import Slot

WORDS: Mapping[str, Mapping[str, str]] = {
    # On every page
    "language_name": {"ja": "日本語", "en": "English"},
    "language_choice": {"ja": "言語", "en": "Language"},
    "skip": {"ja": "本文へ移動", "en": "Skip to the content"},
    "call_us": {"ja": "お電話でのお問い合わせ:", "en": "You can also call us:"},
    "problem": {"ja": "入力内容をご確認ください", "en": "Please check what you entered"},
    "not_done": {"ja": "お手続きはまだ完了していません", "en": "Nothing was changed yet"},
    # The booking page
    "page_title": {"ja": "折り返しお電話のご予約", "en": "Your callback"},
    "for_number": {"ja": "お電話番号: {number}", "en": "Your number: {number}"},
    "now_heading": {"ja": "現在のご予約", "en": "As it stands"},
    "other_wishes": {"ja": "そのほかのご希望", "en": "What else you can do"},
    "choose_heading": {"ja": "ご希望の時間帯を選ぶ", "en": "Choose a time"},
    "choose_help": {
        "ja": "お電話をお受けになれる時間帯を1つお選びください。",
        "en": "Pick one time at which you can take our call.",
    },
    "few_left": {"ja": "残り{left}枠", "en": "{left} left"},
    "own_window": {"ja": "現在のご予約", "en": "your present time"},
    "more_days": {"ja": "ほかの日も表示する", "en": "Show more days"},
    "fewer_days": {"ja": "近い日だけ表示する", "en": "Show fewer days"},
    "no_windows": {
        "ja": "申し訳ございません。現在お選びいただける時間帯がございません。",
        "en": "We are sorry: there is no free time at the moment.",
    },
    "book_button": {"ja": "この時間帯で予約する", "en": "Book this time"},
    "call_heading": {"ja": "できるだけ早い電話を希望する", "en": "As soon as possible"},
    "call_help": {
        "ja": "担当者の手が空きしだい、お電話いたします。",
        "en": "We call you as soon as somebody is free.",
    },
    "call_help_later": {
        "ja": "ただいま受付時間外です。{when}以降、順番にお電話いたします。",
        "en": "We are closed now. We call you in turn from {when}.",
    },
    "call_button": {"ja": "できるだけ早く電話してほしい", "en": "Call me as soon as possible"},
    "cancel_heading": {"ja": "予約を取り消す", "en": "Cancel"},
    "cancel_help": {
        "ja": "折り返しのお電話が不要になった場合はこちら。",
        "en": "If you do not need our call.",
    },
    "cancel_button": {"ja": "折り返しの電話を取り消す", "en": "Do not call me"},
    "never_heading": {"ja": "お心当たりのない場合", "en": "This was not me"},
    "never_help": {
        "ja": "このお電話番号への電話とSMSを、今後一切お送りしないようにします。",
        "en": "We will never call or text this number again.",
    },
    "never_sure": {
        "ja": "この番号には今後、電話もSMSも送らないでください",
        "en": "Yes: never call or text this number again",
    },
    "never_button": {"ja": "今後連絡しないよう依頼する", "en": "Never contact this number"},
    "used_once": {
        "ja": "このリンクは使用済みです。変更をご希望の場合は、お電話ください。",
        "en": "This link has been used. To change anything, please call us.",
    },
    # Where a promise stands
    "state_window": {"ja": "{when}にお電話いたします。", "en": "We will call you on {when}."},
    "state_late": {
        "ja": "{when}のお約束でしたが、遅れております。順番が来しだいお電話いたします。申し訳ございません。",
        "en": "We promised {when}, and are running late. We call you as soon as it is your turn. We are sorry.",
    },
    "state_soon": {"ja": "順番が来しだい、お電話いたします。", "en": "We will call you as soon as it is your turn."},
    "state_from": {
        "ja": "{when}以降、順番が来しだいお電話いたします。",
        "en": "We will call you in turn, from {when}.",
    },
    "state_dialling": {"ja": "ただいまお電話を差し上げています。", "en": "We are calling you right now."},
    "state_connected": {"ja": "ただいまお話し中です。", "en": "We are talking with you right now."},
    "state_fulfilled": {"ja": "折り返しのお電話は完了しました。", "en": "We have called you back."},
    "state_exhausted": {
        "ja": "お電話いたしましたが、つながりませんでした。",
        "en": "We called you, and could not reach you.",
    },
    "state_cancelled": {"ja": "折り返しのお電話は取り消されました。", "en": "The callback is cancelled."},
    "state_expired": {
        "ja": "お約束の時間内にお電話できませんでした。申し訳ございません。",
        "en": "We could not call you in time. We are sorry.",
    },
    "state_blocked": {
        "ja": "このお電話番号には、電話もSMSもお送りいたしません。",
        "en": "We will not call or text this number.",
    },
    "state_none": {"ja": "折り返しのご予約はありません。", "en": "No callback is booked."},
    # What came of a choice
    "done_heading": {"ja": "承りました", "en": "Thank you"},
    "full": {
        "ja": "申し訳ございません。その時間帯のご予約はいっぱいになりました。ほかの時間帯をお選びください。",
        "en": "We are sorry: that time is not free any more. Please choose another.",
    },
    "choose_one": {"ja": "時間帯を1つお選びください。", "en": "Please choose a time."},
    "not_offered": {
        "ja": "その時間帯はお選びいただけません。ほかの時間帯をお選びください。",
        "en": "That time cannot be booked. Please choose another.",
    },
    "say_sure": {
        "ja": "よろしければ、確認欄にチェックを入れてください。",
        "en": "If you are sure, please tick the box.",
    },
    "too_late": {
        "ja": "取り消すことができるご予約がありません。",
        "en": "There is nothing that could be cancelled any more.",
    },
    "what_to_do": {"ja": "ご希望の操作をお選びください。", "en": "Please choose what we should do."},
    # Without a link
    "number_title": {"ja": "折り返しお電話のお申し込み", "en": "Ask for a callback"},
    "number_help": {
        "ja": "お電話番号を入力してください。確認コードをSMSでお送りします。",
        "en": "Enter your number. We send a code to it by SMS.",
    },
    "number_label": {"ja": "携帯電話番号", "en": "Mobile number"},
    "number_hint": {"ja": "例: 090-1234-5678", "en": "For example 090-1234-5678"},
    "number_button": {"ja": "確認コードを受け取る", "en": "Send me a code"},
    "number_wrong": {"ja": "電話番号を数字で入力してください。", "en": "Please enter a telephone number, in digits."},
    "code_title": {"ja": "確認コードの入力", "en": "Enter the code"},
    "code_help": {
        "ja": "SMSを受信できる番号であれば、6桁の確認コードが届きます。届いたコードを入力してください。",
        "en": "If the number can get SMS, a code of six digits is on its way. Enter it here.",
    },
    "code_label": {"ja": "確認コード(6桁)", "en": "Code (six digits)"},
    "code_button": {"ja": "確認する", "en": "Continue"},
    "code_wrong": {
        "ja": "確認コードが正しくないか、有効期限が切れています。",
        "en": "The code is wrong, or no longer valid.",
    },
    # When something is in the way
    "not_found_title": {"ja": "ページが見つかりません", "en": "Page not found"},
    "not_found": {
        "ja": "このリンクは無効か、有効期限が切れています。お手数ですが、お電話でお問い合わせください。",
        "en": "This link is not valid, or no longer. Please call us.",
    },
    "too_often_title": {"ja": "しばらくお待ちください", "en": "Please wait a moment"},
    "too_often": {
        "ja": "短い時間に多くのアクセスがありました。しばらくしてから、もう一度お試しください。",
        "en": "There were too many requests. Please try again in a while.",
    },
    "refused_title": {"ja": "受け付けられませんでした", "en": "We could not accept this"},
    "refused": {
        "ja": "送信された内容を受け付けられませんでした。ページを開き直して、もう一度お試しください。",
        "en": "What was sent could not be accepted. Please open the page again and retry.",
    },
    "fault_title": {"ja": "ただいまご利用いただけません", "en": "Not available at the moment"},
    "fault": {
        "ja": "申し訳ございません。しばらくしてからもう一度お試しになるか、お電話でお問い合わせください。",
        "en": "We are sorry. Please try again in a while, or call us.",
    },
    # Times
    "today": {"ja": "今日", "en": "Today"},
    "tomorrow": {"ja": "明日", "en": "Tomorrow"},
}
_WEEKDAYS = {
    "ja": ("月", "火", "水", "木", "金", "土", "日"),
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
}
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_LONGEST_HEADER = 200


def say(word: str, language: str, **fields: object) -> str:
    """Return a word of the pages. Raises KeyError when there is none of that name, or a field of it is missing."""
    return WORDS[word][language].format(**fields)


def known(language: str | None) -> str | None:
    """Return a language that the pages are written in, or None."""
    return language if language in LANGUAGES else None


def accepted(header: str) -> str:
    """Return the language that a browser would like best (Accept-Language, RFC 9110 12.5.4), of those there are."""
    best, best_weight = FALLBACK, 0.0
    for part in header[:_LONGEST_HEADER].split(","):
        tag, _, weight = part.strip().partition(";")
        language = known(tag.strip().lower().partition("-")[0])
        value = _weight(weight)
        if language is not None and value > best_weight:
            best, best_weight = language, value
    return best


def _weight(text: str) -> float:
    name, _, number = text.strip().partition("=")
    if not name:
        return 1.0
    digits = number.strip()
    if name.strip() != "q" or not digits.replace(".", "", 1).isdecimal() or not digits.isascii():
        return 0.0
    return min(float(digits), 1.0)


def told_day(day: date, language: str) -> str:
    """Return a day: `11月24日(火)`, `Tue 24 November`."""
    weekday = _WEEKDAYS[language][day.weekday()]
    if language == "ja":
        return f"{day.month}月{day.day}日({weekday})"
    return f"{weekday} {day.day} {_MONTHS[day.month - 1]}"


def told_heading(day: date, today: date, language: str) -> str:
    """Return a day above its windows, with a word for today and tomorrow: `明日 11月24日(火)`."""
    word = {0: "today", 1: "tomorrow"}.get((day - today).days)
    told = told_day(day, language)
    if word is None:
        return told
    return f"{say(word, language)} {told}" if language == "ja" else f"{say(word, language)}, {told}"


def told_times(window: Slot, language: str, zone: ZoneInfo) -> str:
    """Return the hours of a window: `16:00〜16:30`, `16:00 to 16:30`; one that ends with the day ends at 24:00."""
    starts_at, ends_at = window.starts_at.astimezone(zone), window.ends_at.astimezone(zone)
    is_midnight = ends_at.date() - starts_at.date() == timedelta(days=1) and not (ends_at.hour or ends_at.minute)
    end = "24:00" if is_midnight else f"{ends_at:%H:%M}"
    return f"{starts_at:%H:%M}〜{end}" if language == "ja" else f"{starts_at:%H:%M} to {end}"


def told_window(window: Slot, language: str, zone: ZoneInfo) -> str:
    """Return a window: `11月24日(火) 16:00〜16:30`, `Tue 24 November, 16:00 to 16:30`."""
    day = told_day(window.starts_at.astimezone(zone).date(), language)
    between = " " if language == "ja" else ", "
    return f"{day}{between}{told_times(window, language, zone)}"


def told_moment(at: datetime, language: str, zone: ZoneInfo) -> str:
    """Return an instant: `11月24日(火) 9:00`, `Tue 24 November, 9:00`."""
    local = at.astimezone(zone)
    between = " " if language == "ja" else ", "
    return f"{told_day(local.date(), language)}{between}{local.hour}:{local:%M}"


def days_of(windows: Iterable[Slot], zone: ZoneInfo) -> dict[date, list[Slot]]:
    """Return windows by the day on which they start in `zone`, in their order."""
    days: dict[date, list[Slot]] = {}
    for window in windows:
        days.setdefault(window.starts_at.astimezone(zone).date(), []).append(window)
    return days
