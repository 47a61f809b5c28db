"""The texts of the SMS as customers would get them, with their length and what they cost: `controller sms preview`."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import phonenumbers

from controller import from_settings
from controller.commands import Report, listed, refused
from controller.domain.effects import SmsTemplate
from controller.domain.signed import ID_BYTES, Purpose, Signer
from controller.ports.sms import QueuedSms
from controller.sms.segments import measure
from controller.sms.texts import LANGUAGES, WITH_LINK, renderer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from controller.settings import Settings
    from controller.sms.segments import Measured

ALL = "all"

_SAMPLE_CODE = "123456"
_MILLI = 1000


def preview(settings: Settings, *, template: str, language: str | None, queue: str | None, now: datetime) -> Report:
    """Return each text as a customer would get it, with its length, and its cost where there is a tariff.

    `template` is a name or `ALL`; None: both languages, the first queue. Times are tomorrow's, and longest as such.
    """
    names = [one.name for one in settings.queues]
    queue = queue or names[0]
    if queue not in names:
        return refused(f'there is no queue "{queue}"; there are: {", ".join(names)}')
    if template != ALL and (needs := _missing(SmsTemplate(template), settings)):
        return refused(f"{template} is never sent by these settings: it needs {needs}")
    texts = renderer(
        from_settings.signatures(settings),
        settings.pages_by_name,
        two_way=settings.sms_two_way,
        code_of=(lambda _: _SAMPLE_CODE) if settings.web.enabled else None,
    )
    bill = from_settings.sms_bill(settings)
    chosen = list(SmsTemplate) if template == ALL else [SmsTemplate(template)]
    languages = LANGUAGES if language is None else (language,)
    shown: list[dict[str, Any]] = []
    for sample in _samples(settings, chosen, languages, queue, now):
        text = texts(sample, _sample_link(settings, sample))
        cost = bill(sample, text).cost_milli / _MILLI if settings.sms.tariffs else None
        shown.append(_as_shown(sample, text, measure(text), cost))
    return Report(_preview_text(shown, settings), {"texts": shown, "two_way": settings.sms_two_way})


def _samples(
    settings: Settings, chosen: list[SmsTemplate], languages: tuple[str, ...], queue: str, now: datetime
) -> Iterator[QueuedSms]:
    """Yield an SMS of each kind, with the longest that its details can say."""
    zone = settings.opening_hours[queue].zone
    starts_at = datetime.combine(now.astimezone(zone).date() + timedelta(days=1), time(16), zone)
    times = {
        "starts_at": starts_at.isoformat(),
        "ends_at": (starts_at + timedelta(minutes=30)).isoformat(),
        "expected_at": starts_at.isoformat(),
    }
    for template in chosen:
        if _missing(template, settings):
            continue
        pages = [{"page": page} for page in settings.pages_by_name] if template is SmsTemplate.WEB_PAGE else [{}]
        for page in pages:
            for language in languages:
                yield QueuedSms(
                    id=0,
                    key="preview",
                    number=_somebody(settings.dialer.home_country),
                    template=template.value,
                    language=language,
                    queue=queue,
                    tries=1,
                    queued_at=now,
                    valid_until=now,
                    details={**times, "challenge": "", **page},
                )


def _missing(template: SmsTemplate, settings: Settings) -> str | None:
    """Return what a text needs that the settings have not."""
    if template is SmsTemplate.WEB_PAGE and not settings.pages_by_name:
        return "[[web_pages]]"
    if template is SmsTemplate.BOOKING_LINK and not settings.web.enabled:
        return "[web] enabled = true"
    if template is SmsTemplate.CODE and not (settings.web.enabled and settings.web.open_page):
        return "[web] enabled = true, open_page = true"
    return None


def _somebody(country: str) -> str:
    """Return a mobile number as they are at home (E.164): a tariff goes by it."""
    example = phonenumbers.example_number_for_type(country, phonenumbers.PhoneNumberType.MOBILE)
    return phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164) if example else ""


def _sample_link(settings: Settings, sample: QueuedSms) -> str | None:
    if not settings.web.enabled or sample.template not in WITH_LINK:
        return None
    token = Signer(b"not a secret: it has the length of one").token(Purpose.BOOK, bytes(ID_BYTES).hex())
    return f"{settings.web.public_url}/l/{'x' * len(token)}"


def _as_shown(sample: QueuedSms, text: str, measured: Measured, cost: float | None) -> dict[str, Any]:
    about = {"page": sample.details["page"]} if "page" in sample.details else {}
    priced = {} if cost is None else {"cost": cost}
    return {
        "template": sample.template,
        **about,
        "language": sample.language,
        "queue": sample.queue,
        "alphabet": measured.alphabet.value,
        "units": measured.units,
        "segments": measured.segments,
        "left_in_segment": measured.left_in_segment,
        **priced,
        "text": text,
    }


def _preview_text(shown: list[dict[str, Any]], settings: Settings) -> str:
    has_cost = bool(settings.sms.tariffs)
    headings = ["template", "language", "alphabet", "units", "segments", *(["cost"] if has_cost else []), "text"]
    rows = [
        [" ".join([one["template"], *([one["page"]] if "page" in one else [])])]
        + [f"{one[name]:g}" if name == "cost" else str(one[name]) for name in headings[1:]]
        for one in shown
    ]
    said = "replies are read" if settings.sms_two_way else "replies are not read"
    linked = "texts carry a link" if settings.web.enabled else "there is no booking page"
    return f"{listed(headings, rows, 'texts')}\n\n{said}; {linked}"
