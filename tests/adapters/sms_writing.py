"""SMS as the outbox hands them out, and what writes their texts for one queue."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from controller.domain.effects import SmsTemplate
from controller.domain.menu import WebPage
from controller.ports.sms import QueuedSms
from controller.sms.texts import LANGUAGES, Signature, renderer
from tests.contract.store_under_test import NUMBER

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SHOWN = "03-1234-5678"
TOKYO = ZoneInfo("Asia/Tokyo")
SALES = Signature({"ja": "山田商店 営業部", "en": "Yamada Store Sales"}, SHOWN, TOKYO)
HOURS = WebPage(
    "hours", "https://example.jp/hours", {"ja": "営業時間のご案内", "en": "opening hours", "fr": "horaires"}
)
LINK = "https://yamada.example.jp/l/AbCdEfGhIjKlMnOpQrStUvWx"
NOW = datetime(2026, 11, 24, 14, 10, tzinfo=TOKYO)
TIMES = {
    "starts_at": datetime(2026, 11, 24, 7, tzinfo=UTC).isoformat(),
    "ends_at": datetime(2026, 11, 24, 7, 30, tzinfo=UTC).isoformat(),
    "expected_at": datetime(2026, 11, 24, 8, 5, tzinfo=UTC).isoformat(),
}


def writer(*, two_way: bool = False) -> Callable[[QueuedSms, str | None], str]:
    """Return what writes the texts of one queue, with one page."""
    return renderer(
        {"sales": SALES},
        {"hours": HOURS},
        two_way=two_way,
        code_of=lambda challenge: {"c-1": "004217"}[challenge],
    )


ONE_WAY, TWO_WAY = writer(), writer(two_way=True)


def queued(template: str, language: str = "ja", details: Mapping[str, str] = TIMES) -> QueuedSms:
    """Return an SMS as the outbox hands it out."""
    more = {"page": "hours"} if template == "web_page" else {"challenge": "c-1"} if template == "code" else {}
    return QueuedSms(
        id=1,
        key=f"promise-1:{template}",
        number=NUMBER,
        template=template,
        language=language,
        queue="sales",
        tries=1,
        queued_at=NOW,
        valid_until=NOW + timedelta(hours=2),
        details={**details, **more},
    )


ALL = [(template, language) for template in SmsTemplate for language in LANGUAGES]
