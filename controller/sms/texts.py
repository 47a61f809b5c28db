"""The texts of the SMS, in Japanese and English.

A text is short: Japanese goes out in UCS-2, 70 units to a segment, English in the GSM 7-bit alphabet, 160 characters
(3GPP TS 23.038 and 23.040). With a title of 12 Japanese or 30 English characters each of these is one segment.
"""

from __future__ import annotations

from dataclasses import dataclass
from string import Formatter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

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
}
"""By template, then language. `{title}` is the queue's, `{number}` the one we call from and can be called at."""
_FIELDS = frozenset({"title", "number"})


class UnknownTextError(LookupError):
    """There is no such template, language or queue; says which ones there are."""


@dataclass(frozen=True, slots=True)
class Signature:
    """How a queue signs its SMS."""

    titles: Mapping[str, str]
    """The queue's title by language."""
    number: str
    """As customers are to see and dial it: `03-1234-5678`."""


def render(template: str, language: str, *, title: str, number: str) -> str:
    """Return the text of one SMS. Raises UnknownTextError."""
    return _in_language(template, language).format(title=title, number=number)


def renderer(
    signatures: Mapping[str, Signature], templates: Iterable[str] = tuple(TEMPLATES)
) -> Callable[[QueuedSms], str]:
    """Return the function that writes the text of a queued SMS, for queues that sign as given.

    Every template in every language, and every queue's title in it, is tried here, at the start, and not first when
    an SMS is owed. Raises UnknownTextError, also from the function, for a queue that is no longer configured.
    """
    for template in templates:
        for language in LANGUAGES:
            _check_fields(template, language)
    for queue, signature in signatures.items():
        for language in LANGUAGES:
            _title(signature, queue, language)

    def text_of(sms: QueuedSms) -> str:
        signature = signatures.get(sms.queue)
        if signature is None:
            raise UnknownTextError(f"queue {sms.queue} is not configured; known: {', '.join(signatures)}")
        title = _title(signature, sms.queue, sms.language)
        return render(sms.template, sms.language, title=title, number=signature.number)

    return text_of


def _in_language(template: str, language: str) -> str:
    by_language = TEMPLATES.get(template)
    if by_language is None:
        raise UnknownTextError(f"there is no SMS template {template}; known: {', '.join(TEMPLATES)}")
    text = by_language.get(language)
    if text is None:
        raise UnknownTextError(f"SMS template {template} has no language {language}; known: {', '.join(by_language)}")
    return text


def _check_fields(template: str, language: str) -> None:
    fields = {field for _, field, _, _ in Formatter().parse(_in_language(template, language)) if field is not None}
    if unknown := fields - _FIELDS:
        raise UnknownTextError(f"SMS template {template} ({language}) has unknown fields: {', '.join(sorted(unknown))}")


def _title(signature: Signature, queue: str, language: str) -> str:
    title = signature.titles.get(language)
    if title is None:
        raise UnknownTextError(f"queue {queue} has no title in language {language} for its SMS")
    return title
