"""The words of the SMS, in Japanese and English: each answers something that the customer asked of us.

None of them advertises. Each names who writes, and the number that calls or can be called, so that a customer knows the
number when it rings. A text is a beginning and one of four ends; where an end is missing the next shorter one does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.domain.effects import SmsTemplate

if TYPE_CHECKING:
    from collections.abc import Mapping

LANGUAGES = ("ja", "en")


@dataclass(frozen=True, slots=True)
class Words:
    """One text in one language. The ends: alone, with a link, with what can be replied, and with both."""

    start: str
    alone: str = ""
    link: str | None = None
    reply: str | None = None
    both: str | None = None

    def variant(self, *, link: bool, reply: bool) -> str:
        """Return the text with the longest end that fits what there is: a link, and whether replies are read."""
        ends = (self.both if link and reply else None, self.link if link else None, self.reply if reply else None)
        return self.start + next((end for end in ends if end is not None), self.alone)

    @property
    def all_variants(self) -> tuple[str, ...]:
        """Every text that this can become."""
        return tuple(self.start + end for end in (self.alone, self.link, self.reply, self.both) if end is not None)


_JAPANESE: Mapping[SmsTemplate, Words] = {
    SmsTemplate.NOT_REACHED: Words(
        "【{title}】折り返しお電話しましたが、つながりませんでした。改めて",
        alone="おかけします。お急ぎの方は{number}まで。",
        link="{number}からおかけします。日時のご指定はこちら: {link}",
        reply="{number}からおかけします。ご希望は「1」(今すぐ)「16時」「2」(取消)のようにご返信ください。",
        both="{number}からおかけします。「1」(今すぐ)や「16時」とご返信、または {link}",
    ),
    SmsTemplate.GAVE_UP: Words(
        "【{title}】折り返しお電話しましたが、つながりませんでした。",
        alone="お手数ですが{number}までおかけください。",
        link="お手数ですが{number}へお電話いただくか、こちらからお申し込みください {link}",
        reply="改めてのお電話は「1」(今すぐ)「16時」のようにご返信ください。{number}でも承ります。",
        both="改めてのお電話は「1」(今すぐ)「16時」とご返信、または{number}かこちらへ {link}",
    ),
    SmsTemplate.EXPIRED: Words(
        "【{title}】折り返しのお電話ができず、申し訳ございません。",
        alone="恐れ入りますが{number}までおかけください。",
        link="恐れ入りますが{number}へお電話いただくか、こちらからお申し込みください {link}",
    ),
    SmsTemplate.WEB_PAGE: Words("【{title}】お電話でご案内したページです。{page} {url}"),
    SmsTemplate.MISSED_YOU: Words(
        "【{title}】お電話をお取りできず、申し訳ございませんでした。",
        alone="お手数ですが{number}までおかけ直しください。",
        link="{number}から折り返しお電話いたします。ご希望の方はこちらへ {link}",
    ),
    SmsTemplate.CONFIRMED: Words(
        "【{title}】折り返しのお電話を承りました。{when}{number}からおかけします。",
        link="変更・取消はこちら {link}",
    ),
    SmsTemplate.RUNNING_LATE: Words(
        "【{title}】お約束のお時間にお電話できず、申し訳ございません。{time}ごろ{number}からおかけする予定です。",
        link="ご変更はこちら {link}",
        reply="ご変更は「17時」、取消は「2」とご返信ください。",
        both="ご変更は「17時」などのご返信か、こちらへ {link}",
    ),
    SmsTemplate.CANCELLED: Words(
        "【{title}】折り返しのお電話を取り消しました。またのご用の際は{number}までおかけください。"
    ),
    SmsTemplate.BOOKING_LINK: Words(
        "【{title}】折り返しのお電話は、こちらからお申し込みください。{number}からおかけします。", link="{link}"
    ),
    SmsTemplate.CODE: Words("【{title}】確認コード {code}({minutes}分間有効)。他人に教えないでください。"),
    SmsTemplate.REPLY_HELP: Words(
        "【{title}】恐れ入りますが、ご返信の内容を確認できませんでした。",
        alone="お電話は{number}まで。",
        link="日時のご指定・取消はこちら {link} お電話は{number}まで。",
        reply="「1」今すぐ、「明日15時」日時のご指定、「2」取消、「停止」今後の連絡停止です。お電話は{number}まで。",
        both="「1」今すぐ、「明日15時」日時のご指定、「2」取消、「停止」今後の連絡停止です。お電話は{number}まで。"
        "こちらからも承ります {link}",
    ),
    SmsTemplate.TIME_TAKEN: Words(
        "【{title}】ご希望の時間はお受けできず、申し訳ございません。{nearest}",
        alone="お電話は{number}まで。",
        link="日時のご指定はこちら {link} お電話は{number}まで。",
        reply="{answer}お電話は{number}まで。",
        both="{answer}こちらからも承ります {link} お電話は{number}まで。",
    ),
}

_ENGLISH: Mapping[SmsTemplate, Words] = {
    SmsTemplate.NOT_REACHED: Words(
        "{title}: we called you back from {number} and could not reach you. We will try again",
        alone="; you can also call us at {number}.",
        link=". Choose a time: {link}",
        reply='. Reply 1 (now), a time such as "4pm", or 2 (cancel).',
        both='. Reply 1 (now), "4pm" or 2 (cancel), or choose a time: {link}',
    ),
    SmsTemplate.GAVE_UP: Words(
        "{title}: we called you back from {number} and could not reach you. ",
        alone="Please call us at {number}.",
        link="Please call us, or choose a time: {link}",
        reply='To be called again, reply 1 (now) or a time such as "4pm", or call us.',
        both='To be called again, reply 1 (now) or "4pm", call us, or choose a time: {link}',
    ),
    SmsTemplate.EXPIRED: Words(
        "{title}: we are sorry, we could not call you back in time as promised. ",
        alone="Please call us at {number}.",
        link="Please call us at {number}, or book another callback: {link}",
    ),
    SmsTemplate.WEB_PAGE: Words("{title}: the page that you asked for on the phone. {page}: {url}"),
    SmsTemplate.MISSED_YOU: Words(
        "{title}: we are sorry that we could not take your call. ",
        alone="Please call us again at {number}.",
        link="If you wish, we will call you from {number}: {link}",
    ),
    SmsTemplate.CONFIRMED: Words(
        "{title}: your callback is booked. We will call you from {number} {when}.",
        link=" Change or cancel: {link}",
    ),
    SmsTemplate.RUNNING_LATE: Words(
        "{title}: we are sorry, we cannot call at the time that we promised. "
        "We expect to call you from {number} at about {time}.",
        link=" Change: {link}",
        reply=' Reply a time such as "5pm", or 2 to cancel.',
        both=' Reply a time such as "5pm", or change it here: {link}',
    ),
    SmsTemplate.CANCELLED: Words(
        "{title}: your callback is cancelled, as you asked. Call us at {number} whenever you need us."
    ),
    SmsTemplate.BOOKING_LINK: Words(
        "{title}: book your callback here. We will call you from {number}.", link=" {link}"
    ),
    SmsTemplate.CODE: Words("{title}: your code is {code} (valid for {minutes} minutes). Do not give it to anybody."),
    SmsTemplate.REPLY_HELP: Words(
        "{title}: sorry, we did not understand your reply. ",
        alone="Please call us at {number}.",
        link="Choose a time or cancel: {link} or call {number}.",
        reply='Reply 1 (call now), a time such as "tomorrow 3pm", 2 (cancel) or STOP, or call {number}.',
        both='Reply 1 (call now), a time such as "tomorrow 3pm", 2 (cancel) or STOP, call {number}, or go to {link}',
    ),
    SmsTemplate.TIME_TAKEN: Words(
        "{title}: sorry, we cannot call at the time that you asked for. {nearest}",
        alone="You can also call us at {number}.",
        link="Choose a time: {link} or call {number}.",
        reply="{answer}You can also call us at {number}.",
        both="{answer}Or choose a time: {link} or call {number}.",
    ),
}

TEMPLATES: Mapping[str, Mapping[str, Words]] = {
    template.value: {"ja": _JAPANESE[template], "en": _ENGLISH[template]} for template in _JAPANESE
}
"""By template, then language. `{title}` is the queue's, `{number}` the one we call from and can be called at; the other
fields are those of `FIELDS`."""

FIELDS: Mapping[str, frozenset[str]] = {
    SmsTemplate.WEB_PAGE: frozenset({"page", "url"}),
    SmsTemplate.CONFIRMED: frozenset({"when"}),
    SmsTemplate.RUNNING_LATE: frozenset({"time"}),
    SmsTemplate.CODE: frozenset({"code", "minutes"}),
    SmsTemplate.TIME_TAKEN: frozenset({"nearest", "answer"}),
}
"""What a template may speak of beside `{title}`, `{number}` and `{link}`."""

WITH_LINK: frozenset[SmsTemplate] = frozenset(
    {
        SmsTemplate.CONFIRMED,
        SmsTemplate.NOT_REACHED,
        SmsTemplate.GAVE_UP,
        SmsTemplate.EXPIRED,
        SmsTemplate.RUNNING_LATE,
        SmsTemplate.MISSED_YOU,
        SmsTemplate.BOOKING_LINK,
        SmsTemplate.REPLY_HELP,
        SmsTemplate.TIME_TAKEN,
    }
)
"""Those that carry a link to the booking page, where there is one."""


@dataclass(frozen=True, slots=True)
class Phrases:
    """What is put together from times, in one language."""

    in_window: str
    """`{when}` of a promise with a window."""
    in_turn: str
    """`{when}` of one that is kept as soon as possible."""
    from_then: str
    """... but not before `{time}`: the queue is closed until then."""
    nearest: str
    answer: str
    """How the nearest window is taken by a reply; `{reply}` is what to write."""
    answer_any: str
    """There is no window near."""


PHRASES: Mapping[str, Phrases] = {
    "ja": Phrases(
        in_window="{window}に",
        in_turn="順番が来ましたら、",
        from_then="{time}以降、順番に",
        nearest="最も近い空きは{window}です。",
        answer="よろしければ「{reply}」とご返信ください。",
        answer_any="別の日時を「明日15時」のようにご返信ください。",
    ),
    "en": Phrases(
        in_window="on {window}",
        in_turn="as soon as it is your turn",
        from_then="in your turn, from {time} on",
        nearest="The nearest free time is {window}. ",
        answer='To take it, reply "{reply}". ',
        answer_any='Reply another time, such as "tomorrow 3pm". ',
    ),
}
