"""Receipts and replies of a described provider: what is believed, what it is read as, and what is refused."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from controller.domain.sms import Delivery
from controller.ports.sms import (
    ForgedWebhookError,
    IncomingSms,
    MalformedWebhookError,
    Receipt,
    WebhookRequest,
)
from controller.sms.json_webhook import JsonWebhook, ReceiptFields, ReplyFields, Verification
from lab.sms_providers.forged_json import WAYS
from lab.sms_providers.forgeries import forgeries
from lab.sms_providers.provider import TakenSms
from lab.sms_providers.twilio import TwilioProvider
from lab.sms_providers.vonage import VonageProvider
from tests.adapters.sms_receiver import provider
from tests.adapters.test_sms_json_http import (
    BEARER,
    FORM,
    KEY,
    KINDS,
    NUMBER,
    PUBLIC,
    WEBHOOK_SECRET,
    bearer_side,
    form_side,
    settings_of,
)

if TYPE_CHECKING:
    from pathlib import Path

    from lab.sms_providers.provider import SignedWebhook

NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)
URL = f"{PUBLIC}/sms/json_http"
TEXTS = {"bearer": BEARER, "form": FORM}
TAKEN = TakenSms("msg-1", KEY, "20012", NUMBER, "お電話します", URL)
BY_BODY = Verification(method="hmac", header="X-Signature", secret=WEBHOOK_SECRET)
RECEIPTS = ReceiptFields(
    status="status", delivered=frozenset({"ok"}), undelivered=frozenset({"no"}), reference="id", key="tag"
)
REPLIES = ReplyFields(number="from", text="text", to="to")
PLAIN = JsonWebhook(BY_BODY, receipts=RECEIPTS, replies=REPLIES)


def webhook_of(folder: Path, name: str) -> JsonWebhook:
    """Return what reads the requests of one of the page's two providers."""
    described = settings_of(folder, TEXTS[name]).sms.json_http
    assert described is not None
    webhook = described.webhook(WEBHOOK_SECRET, home="JP")
    assert webhook is not None
    return webhook


def request_of(made: SignedWebhook, now: datetime = NOW) -> WebhookRequest:
    """Return what a provider made, as it comes in."""
    return WebhookRequest("POST", made.url, {name.lower(): one for name, one in made.headers.items()}, made.body, now)


def signed(body: bytes, *, url: str = f"{URL}/receipt", content_type: str = "application/json") -> WebhookRequest:
    """Return a body with the signature that `PLAIN` asks for."""
    mac = hmac.new(WEBHOOK_SECRET.encode(), body, hashlib.sha256).hexdigest()
    return WebhookRequest("POST", url, {"x-signature": mac, "content-type": content_type}, body, NOW)


def test_the_first_kind_tells_of_a_delivery_and_brings_replies(tmp_path: Path) -> None:
    """By its own id and by our key; its error in words; numbers as E.164."""
    webhook, side = webhook_of(tmp_path, "bearer"), bearer_side()
    for status, delivery, error in (
        ("SENT", Delivery.ON_ITS_WAY, ""),
        ("DELIVERED", Delivery.DELIVERED, ""),
        ("FAILED", Delivery.UNDELIVERED, "unreachable"),
    ):
        made = side.receipt(TAKEN, status, NOW)
        assert made is not None
        (told,) = webhook.read(request_of(made))
        assert isinstance(told, Receipt)
        assert told == Receipt("json_http", told.event_id, "msg-1", delivery, KEY, error)
    made = side.reply(NUMBER, "05012345678", "明日の午前\n1️⃣", NOW)
    (reply,) = webhook.read(request_of(made))
    assert isinstance(reply, IncomingSms)
    assert (reply.number, reply.to, reply.text) == (NUMBER, "+815012345678", "明日の午前\n1️⃣")


def test_the_second_kind_tells_by_our_key_alone_and_says_more_than_is_listed(tmp_path: Path) -> None:
    """A status that the settings do not name is taken without an effect: the provider would repeat it otherwise."""
    webhook, side = webhook_of(tmp_path, "form"), form_side()
    made = [side.receipt(TAKEN, status, NOW) for status in ("0", "1", "2")]
    told = [webhook.read(request_of(one)) for one in made if one is not None]
    assert told == [
        [],
        [Receipt("json_http", f"{KEY}:1", "", Delivery.DELIVERED, KEY)],
        [Receipt("json_http", f"{KEY}:2", "", Delivery.UNDELIVERED, KEY)],
    ]
    with pytest.raises(MalformedWebhookError, match="describe no replies"):
        webhook.read(request_of(side.reply(NUMBER, "20012", "1", NOW)))


@pytest.mark.parametrize("name", KINDS)
def test_what_is_signed_with_another_secret_is_forged(tmp_path: Path, name: str) -> None:
    """Or not signed at all."""
    webhook, side = webhook_of(tmp_path, name), KINDS[name].side()
    made = side.receipt(TAKEN, side.delivered[-1], NOW)
    assert made is not None
    webhook.read(request_of(made))
    with pytest.raises(ForgedWebhookError):
        webhook.read(request_of(side.forged(made)))
    with pytest.raises(ForgedWebhookError):
        webhook.read(replace(request_of(made), headers={"content-type": "application/json"}))


def test_of_a_thousand_forged_requests_none_is_read(tmp_path: Path) -> None:
    """Each way of forging in its turn; what they are made of is genuine and would be read."""
    webhook, side, dice = webhook_of(tmp_path, "bearer"), bearer_side(), random.Random(21)  # noqa: S311 - repeatable
    for how in itertools.islice(itertools.cycle(WAYS), 1000):
        genuine = side.reply(NUMBER, "05012345678", dice.choice(["STOP", "今すぐ", "1"]), NOW)
        assert len(webhook.read(request_of(genuine))) == 1
        with pytest.raises(ForgedWebhookError):
            webhook.read(request_of(WAYS[how](side, genuine, dice, NOW)))


def test_a_described_provider_is_forged_among_the_others(tmp_path: Path) -> None:
    """What is thrown at a running controller has every way of each provider in it."""
    twilio, vonage = provider("twilio"), provider("vonage")
    assert isinstance(twilio, TwilioProvider)
    assert isinstance(vonage, VonageProvider)
    webhook, ways = webhook_of(tmp_path, "bearer"), set()
    for one in forgeries(300, 5, twilio=twilio, vonage=vonage, json_http=bearer_side(), public_url=PUBLIC, now=NOW):
        if one.provider == webhook.name:
            ways.add(one.how)
            with pytest.raises(ForgedWebhookError):
                webhook.read(request_of(one.webhook))
    assert ways == set(WAYS)


def test_an_old_request_is_forged_however_well_it_is_signed(tmp_path: Path) -> None:
    """And so is one of the future: whoever recorded one cannot keep it for later."""
    webhook = webhook_of(tmp_path, "bearer")
    made = request_of(bearer_side().reply(NUMBER, "05012345678", "1", NOW))
    for apart_s, is_read in ((-301, False), (-299, True), (299, True), (301, False)):
        request = replace(made, now=NOW + timedelta(seconds=apart_s))
        if is_read:
            assert len(webhook.read(request)) == 1
        else:
            with pytest.raises(ForgedWebhookError, match="X-Timestamp"):
                webhook.read(request)


def test_a_time_in_milliseconds_is_one_too() -> None:
    """Half of the world counts in them; what is no time is no proof."""
    how = replace(BY_BODY, signs=("timestamp", "body"), timestamp_header="X-Timestamp", joined_by=".")
    webhook = replace(PLAIN, verification=how)
    for at, is_read in ((str(int(NOW.timestamp() * 1000)), True), ("1", False), ("", False), ("now", False)):
        body = b'{"id": "1", "status": "ok"}'
        mac = hmac.new(WEBHOOK_SECRET.encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()
        headers = {"x-signature": mac, "x-timestamp": at}
        request = WebhookRequest("POST", f"{URL}/receipt", headers, body, NOW)
        if is_read:
            assert len(webhook.read(request)) == 1
        else:
            with pytest.raises(ForgedWebhookError):
                webhook.read(request)


def test_a_signature_can_cover_the_address_and_be_written_otherwise() -> None:
    """SHA-1 in base64 over address and body, say; or hexadecimal in capitals."""
    body, url = b'{"id": "1", "status": "ok"}', f"{URL}/receipt?a=%2B1&b="
    how = replace(BY_BODY, algorithm="sha1", encoding="base64", signs=("url", "body"))
    mac = base64.b64encode(hmac.new(WEBHOOK_SECRET.encode(), url.encode() + body, hashlib.sha1).digest()).decode()
    request = WebhookRequest("POST", url, {"x-signature": mac}, body, NOW)
    webhook = replace(PLAIN, verification=how)
    assert len(webhook.read(request)) == 1
    for other in (
        replace(request, url=f"{URL}/receipt?a=+1&b="),
        replace(request, url=url.replace("https", "http")),
        replace(request, headers={"x-signature": mac.swapcase()}),
    ):
        with pytest.raises(ForgedWebhookError):
            webhook.read(other)
    capital = signed(body)
    assert PLAIN.read(replace(capital, headers={"x-signature": capital.headers["x-signature"].upper()}))


def test_without_a_secret_nobody_is_believed() -> None:
    """Not even whoever signs with nothing."""
    for how in (replace(BY_BODY, secret=""), replace(BY_BODY, secret="", method="header")):
        body = b'{"id": "1", "status": "ok"}'
        mac = hmac.new(b"", body, hashlib.sha256).hexdigest() if how.method == "hmac" else ""
        request = WebhookRequest("POST", f"{URL}/receipt", {"x-signature": mac}, body, NOW)
        with pytest.raises(ForgedWebhookError):
            replace(PLAIN, verification=how).read(request)
