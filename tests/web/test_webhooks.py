"""The door for providers' news, over HTTP, with what Twilio and Vonage really send: each acts once, in any order."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from controller.domain.sms_limits import SmsBill, SmsLimits
from controller.ports.sms import Accepted
from controller.sms.twilio import TwilioWebhook, receipt_address
from controller.sms.vonage import VonageWebhook
from controller.web.rates import RateLimits
from lab.sms_providers.forgeries import forgeries, genuine_webhook
from lab.sms_providers.provider import SignedWebhook, TakenSms
from lab.sms_providers.twilio import TwilioProvider
from lab.sms_providers.vonage import VonageProvider
from tests.web.site import NUMBER, PUBLIC_URL, TUESDAY_TEN, Site, site_at

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path
    from typing import Any

    from controller.ports.sms import Webhook

ACCOUNT, SECRET, OTHER_SECRET = "AC" + "1" * 32, "the token of this test", "a signature secret of 64 letters" * 2
TWILIO = TwilioProvider(account_sid=ACCOUNT, secret=SECRET, public_url=PUBLIC_URL)
VONAGE = VonageProvider(api_key="abcd1234", secret="api", signature_secret=OTHER_SECRET, public_url=PUBLIC_URL)
WEBHOOKS: dict[str, Webhook] = {
    "twilio": TwilioWebhook(SECRET, account_sid=ACCOUNT, public_url=PUBLIC_URL),
    "vonage": VonageWebhook(OTHER_SECRET, api_key="abcd1234"),
}
FORGERIES = 300


@asynccontextmanager
async def site_with_providers(folder: Path, **more: Any) -> AsyncIterator[Site]:
    """Open a site that hears from both."""
    async with site_at(folder, webhooks=WEBHOOKS, **more) as site:
        yield site


async def sent(site: Site, reference: str) -> str:
    """Have an SMS handed over to the provider, which calls it `reference`; return its key."""
    await site.post("/callback/support", {"number": "090-1234-5678"})
    sms = await site.store.outbox.due(site.clock.now())
    assert sms is not None
    await site.store.outbox.claim(sms, SmsBill(1), SmsLimits(), site.clock.now())
    await site.store.outbox.record(sms, Accepted(reference), site.clock.now())
    return sms.key


def receipts(key: str, reference: str, *statuses: str) -> list[SignedWebhook]:
    """Return what Twilio tells of an SMS, signed."""
    taken = TakenSms(reference, key, "+815012345678", NUMBER, "...", receipt_address(PUBLIC_URL, key))
    told = [TWILIO.receipt(taken, status, TUESDAY_TEN) for status in statuses]
    return [each for each in told if each is not None]


async def status_of(site: Site, key: str) -> str:
    """Return where an SMS stands."""
    return str(next(row["status"] for row in (await site.everything())["sms_outbox"] if row["key"] == key))


async def test_receipts_in_any_order_and_any_number_come_to_the_same(tmp_path: Path) -> None:
    """Each is acknowledged every time and written once; `delivered` is believed over all else."""
    dice = random.Random(5)  # noqa: S311 - it has to be repeatable
    async with site_with_providers(tmp_path) as site:
        for number in range(6):
            reference = f"SM{number:032x}"
            key = await sent(site, reference)
            told = receipts(key, reference, "queued", "sent", "undelivered", "delivered") * 3
            dice.shuffle(told)
            answers = await asyncio.gather(*(site.deliver(each) for each in told))
            assert {answer.status for answer in answers} == {200}
            assert await status_of(site, key) == "delivered"
        assert len((await site.everything())["sms_receipts"]) == 6 * 4


async def test_a_reply_is_written_once_however_often_it_comes(tmp_path: Path) -> None:
    """And whoever acts on replies is told once; Twilio is told that nothing is to be answered."""
    async with site_with_providers(tmp_path) as site:
        told: list[str] = []
        site.store.replied.append(lambda: told.append("reply"))
        for provider in (TWILIO, VONAGE):
            reply = provider.reply(NUMBER, "+815012345678", "明日の午前 & a+b=c", site.clock.now())
            answers = await asyncio.gather(*(site.deliver(reply) for _ in range(20)))
            assert {answer.status for answer in answers} == {200}
            assert list(ET.fromstring(answers[0].text)) == []  # noqa: S314 - our own answer
            assert answers[0].headers["Content-Type"].startswith("text/xml")
        written = await site.store.inbox.unhandled()
        assert [each.incoming.text for each in written] == ["明日の午前 & a+b=c"] * 2
        assert told == ["reply"] * 2


async def test_nothing_that_is_forged_changes_anything(tmp_path: Path) -> None:
    """Whatever way it was forged in: it is refused, and the whole database is as it was."""
    async with site_with_providers(tmp_path) as site:
        await sent(site, "SM" + "0" * 32)
        before = await site.everything()
        made = forgeries(FORGERIES, 7, twilio=TWILIO, vonage=VONAGE, public_url=PUBLIC_URL, now=site.clock.now())
        answered: Counter[int] = Counter()
        for forgery in made:
            if any(value != value.strip() for value in forgery.webhook.headers.values()):
                continue  # a blank at the end of a header does not travel
            answer = await site.deliver(forgery.webhook)
            answered[answer.status] += 1
        assert set(answered) <= {400, 403, 404}
        assert answered[403] > FORGERIES * 0.8
        assert await site.everything() == before
        assert (await site.deliver(genuine_webhook(TWILIO, random.Random(1), PUBLIC_URL, TUESDAY_TEN))).status == 200  # noqa: S311


async def test_what_is_signed_and_makes_no_sense_is_told_so(tmp_path: Path) -> None:
    """400: sending it again would not help."""
    async with site_with_providers(tmp_path) as site:
        before = await site.everything()
        fields = {"MessageSid": "SM1", "MessageStatus": "teleported", "AccountSid": ACCOUNT}
        answer = await site.deliver(TWILIO.signed(f"{PUBLIC_URL}/sms/twilio/receipt", fields))
        assert (answer.status, answer.text) == (400, "")
        assert await site.everything() == before


async def test_news_that_cannot_be_written_is_not_acknowledged(tmp_path: Path) -> None:
    """503 while the database is away, so that the provider sends it again; then it is taken."""
    async with site_with_providers(tmp_path) as site:
        reply = TWILIO.reply(NUMBER, "+815012345678", "16時", site.clock.now())
        with site.database_locked():
            answer = await site.deliver(reply)
        assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
        assert await site.store.inbox.unhandled() == []
        assert (await site.deliver(reply)).status == 200
        assert len(await site.store.inbox.unhandled()) == 1


async def test_a_provider_that_is_not_ours_has_no_door(tmp_path: Path) -> None:
    """Nor has another method, or a body that is too large for an SMS."""
    async with site_with_providers(tmp_path) as site:
        assert (await site.post("/sms/nexmo/receipt", {})).status == 404
        for path in ("/sms/twilio", "/sms/twilio/receipt", "/sms/twilio/reply"):
            for method in ("GET", "PUT", "DELETE"):
                answer = await site.send(method, path)
                assert (answer.status, answer.headers["Allow"]) == (405, "POST")
        assert (await site.send("POST", "/sms/twilio", data=b"x" * 70_000)).status == 413
        assert (await site.send("POST", "/sms/twilio", data=b"")).status == 403


async def test_what_a_proxy_says_of_the_address_does_not_count(tmp_path: Path) -> None:
    """The signature covers the public address, which the settings name."""
    async with site_with_providers(tmp_path) as site:
        reply = TWILIO.reply(NUMBER, "+815012345678", "1", site.clock.now())
        headers = {**reply.headers, "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http"}
        assert (await site.deliver(replace(reply, headers=headers))).status == 200
        elsewhere = TwilioProvider(account_sid=ACCOUNT, secret=SECRET, public_url="https://evil.example")
        forged = elsewhere.reply(NUMBER, "+815012345678", "1", site.clock.now())
        aimed = replace(forged, url=forged.url.replace("https://evil.example", PUBLIC_URL))
        assert (await site.deliver(aimed)).status == 403


async def test_whoever_forges_too_much_is_not_listened_to_for_a_while(tmp_path: Path) -> None:
    """Real news are never counted, however many there are."""
    limits = RateLimits(forged_per_minute=5, per_address_per_minute=1, per_subnet_per_minute=1)
    async with site_with_providers(tmp_path, limits=limits) as site:
        replies = [TWILIO.reply(NUMBER, "+815012345678", "1", site.clock.now()) for _ in range(20)]
        assert {(await site.deliver(reply)).status for reply in replies} == {200}
        forged = [(await site.deliver(TWILIO.forged(replies[0]))).status for _ in range(6)]
        assert forged == [403] * 5 + [429]
        site.clock.turn(60)
        assert (await site.deliver(replies[0])).status == 200
