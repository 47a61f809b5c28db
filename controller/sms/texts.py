"""The texts of the SMS, in Japanese and English.

A text is short: Japanese goes out in UCS-2, 70 units to a segment, English in the GSM 7-bit alphabet, 160 characters
(3GPP TS 23.038 and 23.040). With a title of 12 Japanese or 30 English characters each of these is one segment; that of
a web page is when the page's title and address have no more than 40 characters between them, 84 in English.
Each answers something that the customer asked of us: none of them advertises.
"""

from __future__ import annotations

from dataclasses import dataclass
from string import Formatter
from typing import TYPE_CHECKING

from controller.domain.effects import SmsTemplate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from controller.domain.menu import WebPage
    from controller.ports.sms import QueuedSms

LANGUAGES = ("ja", "en")
TEMPLATES: Mapping[str, Mapping[str, str]] = {
    "not_reached": {
        "ja": "【{title}】折り返しお電話しましたが、つながりませんでした。"
        "改めておかけします。お急ぎの方は{number}まで。",
        "en": "{title}: we called you back from {number} and could not reach you. We will try again; "
        "you can also call us at {number}.",
    },
    "gave_up": {
        "ja": "【{title}】折り返しお電話しましたが、つながりませんでした。お手数ですが{number}までおかけください。",
        "en": "{title}: we called you back from {number} and could not reach you. Please call us at {number}.",
    },
    "expired": {
        "ja": "【{title}】折り返しのお電話ができず、申し訳ございません。恐れ入りますが{number}までおかけください。",
        "en": "{title}: we are sorry, we could not call you back in time as promised. Please call us at {number}.",
    },
    "web_page": {
        "ja": "【{title}】お電話でご案内したページです。{page} {url}",
        "en": "{title}: the page that you asked for on the phone. {page}: {url}",
    },
    "missed_you": {
        "ja": "【{title}】お電話をお取りできず、申し訳ございませんでした。お手数ですが{number}までおかけ直しください。",
        "en": "{title}: we are sorry that we could not take your call. Please call us again at {number}.",
    },
}
"""By template, then language. `{title}` is the queue's, `{number}` the one we call from and can be called at;
`{page}` is a web page's title, `{url}` its address."""
FALLBACK = "en"
"""For whoever heard us in a language that has no texts."""
_NO_PAGES: Mapping[str, WebPage] = {}
_FIELDS = frozenset({"title", "number"})
_PAGE_FIELDS = frozenset({"page", "url"})


class UnknownTextError(LookupError):
    """There is no such template, queue or page, or no title for one; says which ones there are."""


@dataclass(frozen=True, slots=True)
class Signature:
    """How a queue signs its SMS."""

    titles: Mapping[str, str]
    """The queue's title by language."""
    number: str
    """As customers are to see and dial it: `03-1234-5678`."""


def render(template: str, language: str, **fields: str) -> str:
    """Return the text of one SMS, in English if there is none in `language`. Raises UnknownTextError."""
    return _in_language(template, language).format(**fields)


def renderer(
    signatures: Mapping[str, Signature],
    pages: Mapping[str, WebPage] = _NO_PAGES,
    templates: Iterable[str] = tuple(TEMPLATES),
) -> Callable[[QueuedSms], str]:
    """Return the function that writes the text of a queued SMS, for queues that sign as given, and web pages by name.

    Every template in every language, and every title in it, is tried here, at the start, and not first when an SMS is
    owed. Raises UnknownTextError, also from the function, for a queue or page that is no longer configured.
    """
    for template in templates:
        for language in LANGUAGES:
            _check_fields(template, language)
    for language in LANGUAGES:
        for queue, signature in signatures.items():
            _title(signature.titles, f"queue {queue}", language)
        for name, page in pages.items():
            _title(page.titles, f"web page {name}", language)

    def text_of(sms: QueuedSms) -> str:
        signature = signatures.get(sms.queue)
        if signature is None:
            raise UnknownTextError(f"queue {sms.queue} is not configured; known: {', '.join(signatures)}")
        language = sms.language if sms.language in LANGUAGES else FALLBACK
        title = _title(signature.titles, f"queue {sms.queue}", language)
        about = _about(pages, sms.details["page"], language) if "page" in sms.details else {}
        return render(sms.template, language, title=title, number=signature.number, **about)

    return text_of


def _about(pages: Mapping[str, WebPage], name: str, language: str) -> dict[str, str]:
    page = pages.get(name)
    if page is None:
        raise UnknownTextError(f"web page {name} is not configured; known: {', '.join(pages)}")
    return {"page": _title(page.titles, f"web page {name}", language), "url": page.url}


def _in_language(template: str, language: str) -> str:
    by_language = TEMPLATES.get(template)
    if by_language is None:
        raise UnknownTextError(f"there is no SMS template {template}; known: {', '.join(TEMPLATES)}")
    return by_language.get(language, by_language[FALLBACK])


def _check_fields(template: str, language: str) -> None:
    fields = {field for _, field, _, _ in Formatter().parse(_in_language(template, language)) if field is not None}
    known = _FIELDS | _PAGE_FIELDS if template == SmsTemplate.WEB_PAGE else _FIELDS
    if unknown := fields - known:
        raise UnknownTextError(f"SMS template {template} ({language}) has unknown fields: {', '.join(sorted(unknown))}")


def _title(titles: Mapping[str, str], of: str, language: str) -> str:
    title = titles.get(language)
    if title is None:
        raise UnknownTextError(f"{of} has no title in language {language} for its SMS")
    return title
