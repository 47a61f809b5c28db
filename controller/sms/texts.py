"""The texts of the SMS, put together for one customer, queue and language.

A text is short: Japanese goes out in UCS-2, 70 units to a message alone and 67 to each segment of several; English in
the GSM 7-bit alphabet, 160 characters and 153 (3GPP TS 23.038 and 23.040). What that comes to with a number of 12
characters; a link has 35 and the name of its host:

| end of the text | Japanese | English |
| --- | --- | --- |
| alone | 1 with a title of 12 | 1 with a title of 30 |
| what can be replied | 2 with a title of 30 | 2 with a title of 100 |
| a link | 2 when title and host have 24 between them | 2 when they have 120 |
| both | 2 with 26 between them: not reached, gave up; else 3 with 50 | 2 with 85 |

That of a web page is 1 when the page's title and address have no more than 40 characters between them, 84 in English.
A time that is taken needs 2 alone, and 3 with a link in Japanese; running late needs 2 alone in Japanese when it tells
another day. `controller sms preview` shows them all with the titles and addresses of an installation.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from string import Formatter
from typing import TYPE_CHECKING

from controller.domain.effects import VALID_S, SmsTemplate
from controller.domain.opening_hours import in_utc
from controller.sms.templates import FIELDS, LANGUAGES, PHRASES, TEMPLATES, WITH_LINK, Words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from zoneinfo import ZoneInfo

    from controller.domain.menu import WebPage
    from controller.ports.sms import QueuedSms

__all__ = ["LANGUAGES", "TEMPLATES", "WITH_LINK", "Signature", "UnknownTextError", "render", "renderer"]

FALLBACK = "en"
"""For whoever heard us in a language that has no texts."""
_NO_PAGES: Mapping[str, WebPage] = {}
_FIELDS = frozenset({"title", "number"})
_DAYS = {"ja": "月火水木金土日", "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")}
_SOON = timedelta(minutes=15)
"""A call that may come later than this is not told of as one "in your turn" alone."""
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class UnknownTextError(LookupError):
    """There is no such template, queue or page, no title for one, or a detail is missing; says which ones there are."""


@dataclass(frozen=True, slots=True)
class Signature:
    """How a queue signs its SMS."""

    titles: Mapping[str, str]
    """The queue's title by language."""
    number: str
    """As customers are to see and dial it: `03-1234-5678`."""
    zone: ZoneInfo
    """On whose clock times are told."""


def render(template: str, language: str, *, link: str | None = None, two_way: bool = False, **fields: str) -> str:
    """Return the text of one SMS, in English if there is none in `language`.

    With a link it names it, and where replies are read it says what can be replied. Raises UnknownTextError.
    """
    words = _in_language(template, language)
    return words.variant(link=link is not None, reply=two_way).format(link=link, **fields)


def renderer(
    signatures: Mapping[str, Signature],
    pages: Mapping[str, WebPage] = _NO_PAGES,
    templates: Iterable[str] = tuple(TEMPLATES),
    *,
    two_way: bool = False,
    code_of: Callable[[str], str] | None = None,
) -> Callable[[QueuedSms, str | None], str]:
    """Return the function that writes the text of a queued SMS, for queues that sign as given, and web pages by name.

    It takes the SMS and its link to the booking page, None where there is none. `two_way`: replies are read.
    `code_of` gives the digits of a challenge; None: no codes are sent.

    Every template in every language and with every end, and every title, is tried here, at the start, and not first
    when an SMS is owed. Raises UnknownTextError, also from the function, for a queue or page that is no longer
    configured, a code or a link that there is none of, and a detail that is missing or is no time.
    """
    for template in templates:
        for language in LANGUAGES:
            _check_fields(template, language)
    for language in LANGUAGES:
        for queue, signature in signatures.items():
            _title(signature.titles, f"queue {queue}", language)
        for name, page in pages.items():
            _title(page.titles, f"web page {name}", language)

    def text_of(sms: QueuedSms, link: str | None) -> str:
        signature = signatures.get(sms.queue)
        if signature is None:
            raise UnknownTextError(f"queue {sms.queue} is not configured; known: {', '.join(signatures)}")
        language = sms.language if sms.language in LANGUAGES else FALLBACK
        title = _title(signature.titles, f"queue {sms.queue}", language)
        about = _about(sms, language, signature.zone, pages, code_of)
        if sms.template == SmsTemplate.BOOKING_LINK and link is None:
            raise UnknownTextError(f"SMS template {sms.template} needs the booking page, which is switched off")
        return render(sms.template, language, link=link, two_way=two_way, title=title, number=signature.number, **about)

    return text_of


def window(starts_at: datetime, ends_at: datetime, language: str, zone: ZoneInfo) -> str:
    """Return a window on the clock of `zone`: `11/24(火)16:00〜16:30`, `Tue 24 Nov, 16:00 to 16:30`."""
    since, until = starts_at.astimezone(zone), ends_at.astimezone(zone)
    end = _clock(until, language) if since.date() == until.date() else _moment(until, language)
    return f"{_moment(since, language)}{'〜' if language == 'ja' else ' to '}{end}"


def _about(
    sms: QueuedSms,
    language: str,
    zone: ZoneInfo,
    pages: Mapping[str, WebPage],
    code_of: Callable[[str], str] | None,
) -> dict[str, str]:
    """Return what an SMS speaks of beside its queue."""
    phrases = PHRASES[language]
    match sms.template:
        case SmsTemplate.WEB_PAGE:
            return _page(pages, _detail(sms, "page"), language)
        case SmsTemplate.CONFIRMED:
            return {"when": _when(sms, language, zone)}
        case SmsTemplate.RUNNING_LATE:
            at = _time(sms, "expected_at").astimezone(zone)
            is_today = at.date() == sms.queued_at.astimezone(zone).date()
            return {"time": _clock(at, language) if is_today else _moment(at, language)}
        case SmsTemplate.TIME_TAKEN:
            found = _window(sms, language, zone)
            if found is None:
                return {"nearest": "", "answer": phrases.answer_any}
            since = _time(sms, "starts_at").astimezone(zone)
            reply = f"{since.month}/{since.day} {since:%H:%M}"
            return {"nearest": phrases.nearest.format(window=found), "answer": phrases.answer.format(reply=reply)}
        case SmsTemplate.CODE:
            if code_of is None:
                raise UnknownTextError(f"SMS template {sms.template} needs the booking page, which is switched off")
            minutes = VALID_S[SmsTemplate.CODE] / 60
            return {"code": code_of(_detail(sms, "challenge")), "minutes": f"{minutes:.0f}"}
        case _:
            return {}


def _page(pages: Mapping[str, WebPage], name: str, language: str) -> dict[str, str]:
    page = pages.get(name)
    if page is None:
        raise UnknownTextError(f"web page {name} is not configured; known: {', '.join(pages)}")
    return {"page": _title(page.titles, f"web page {name}", language), "url": page.url}


def _window(sms: QueuedSms, language: str, zone: ZoneInfo) -> str | None:
    if "starts_at" not in sms.details:
        return None
    return window(_time(sms, "starts_at"), _time(sms, "ends_at"), language, zone)


def _when(sms: QueuedSms, language: str, zone: ZoneInfo) -> str:
    """Return when a promise will be kept: in its window, in turn, or in turn from a time that is not near."""
    phrases = PHRASES[language]
    found = _window(sms, language, zone)
    if found is not None:
        return phrases.in_window.format(window=found)
    if "not_before" in sms.details:
        first_at = _time(sms, "not_before")
        if first_at - sms.queued_at > _SOON:
            return phrases.from_then.format(time=_moment(first_at.astimezone(zone), language))
    return phrases.in_turn


def _detail(sms: QueuedSms, name: str) -> str:
    if name not in sms.details:
        raise UnknownTextError(f"SMS {sms.key} ({sms.template}) lacks its detail {name}")
    return sms.details[name]


def _time(sms: QueuedSms, name: str) -> datetime:
    try:
        return in_utc(datetime.fromisoformat(_detail(sms, name)))
    except (ValueError, OverflowError):
        raise UnknownTextError(f"SMS {sms.key} ({sms.template}): its detail {name} is no time with a zone") from None


def _moment(local: datetime, language: str) -> str:
    day = _DAYS[language][local.weekday()]
    if language == "ja":
        return f"{local.month}/{local.day}({day}){_clock(local, language)}"
    return f"{day} {local.day} {_MONTHS[local.month - 1]}, {_clock(local, language)}"


def _clock(local: datetime, language: str) -> str:
    return f"{local.hour}:{local:%M}" if language == "ja" else f"{local:%H:%M}"


def _in_language(template: str, language: str) -> Words:
    by_language = TEMPLATES.get(template)
    if by_language is None:
        raise UnknownTextError(f"there is no SMS template {template}; known: {', '.join(TEMPLATES)}")
    return by_language.get(language, by_language[FALLBACK])


def _check_fields(template: str, language: str) -> None:
    known = _FIELDS | FIELDS.get(template, frozenset())
    for text in _in_language(template, language).all_variants:
        fields = {field for _, field, _, _ in Formatter().parse(text) if field is not None}
        if unknown := fields - known - ({"link"} if template in WITH_LINK else set()):
            names = ", ".join(sorted(unknown))
            raise UnknownTextError(f"SMS template {template} ({language}) has unknown fields: {names}")


def _title(titles: Mapping[str, str], of: str, language: str) -> str:
    title = titles.get(language)
    if title is None:
        raise UnknownTextError(f"{of} has no title in language {language} for its SMS")
    return title
