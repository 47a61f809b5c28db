"""Customers who missed the call write back, and real phones ring: at once, at a time, or never again."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from controller.journeys import prompts
from lab.sms_providers.forged_twilio import WAYS
from tests.asterisk.floor import e164
from tests.asterisk.seen_from_outside import LEAVES_A_NUMBER
from tests.asterisk.sms_site import IN_JAPANESE, clock, instant, next_minute, now, sms_site

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from lab.phone import Phone
    from lab.sms_providers.provider import SignedWebhook, TakenSms
    from tests.asterisk.floor import Floor
    from tests.asterisk.sms_site import SmsSite

MINUTE = timedelta(minutes=1)
FORGER = "203.0.113.9"


@pytest.fixture(scope="module")
async def running_site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SmsSite]:
    """Start everything once for the tests of this file."""
    async with sms_site(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture(scope="module")
def running_floor(running_site: SmsSite) -> Floor:
    """Give the tests the floor of this site."""
    return running_site.floor


@pytest.fixture
def site(running_site: SmsSite, floor: Floor) -> SmsSite:
    """Give a test the site with every phone on the hook."""
    assert running_site.floor is floor
    return running_site


@pytest.mark.parametrize(
    ("number", "words", "reply"),
    [
        (LEAVES_A_NUMBER, ("could not reach you", "Reply 1 (now)"), "1"),
        (IN_JAPANESE, ("つながりませんでした", "「1」(今すぐ)"), "今すぐお願いします。"),
    ],
    ids=("en", "ja"),
)
async def test_who_missed_the_call_and_replies_now_is_called_again_at_once_and_talks(
    site: SmsSite, number: str, words: tuple[str, ...], reply: str
) -> None:
    """An hour before they would have been; each webhook comes twice, and makes one call. The story tells all of it."""
    customer = site.floor.customer()
    await site.post.is_told("manners", {"copies": 2})
    await site.floor.signed_in()
    promise_id, sms = await site.misses(customer, number)
    assert [word for word in words if word not in sms.text] == [], sms.text
    assert await site.post.replies(customer, reply) == 200
    leg = await site.introduced(site.floor.agents[0])
    await site.talks(promise_id, await customer.rings(), leg)
    story = await site.story(promise_id, "fulfilled")
    assert story.tells(
        "promised",
        "attempt 1 by agent-1",
        "attempt 1 over carrier: no answer",
        "SMS not_reached: delivered",
        "asked for once more | by SMS, as soon as possible",
        "attempt 2 by agent-1",
        "attempt 2 over carrier: talked",
    )
    assert any(line.startswith("they replied by SMS: now | ") for line in story.lines)
    assert len(await site.network.to(customer.user)) == 2
    assert await site.settled(customer) == ["now"]


@pytest.mark.timeout(300)
async def test_who_replies_with_a_time_is_called_then_and_not_before(site: SmsSite) -> None:
    """In the figures of both languages, a minute apart; each gets an SMS that says so first."""
    english, japanese = site.floor.customer(), site.floor.customer()
    await site.floor.signed_in()
    promises = [(await site.misses(english))[0], (await site.misses(japanese, IN_JAPANESE))[0]]
    times = [next_minute(20), next_minute(20) + MINUTE]
    local = times[1].astimezone(site.timetable.zone)
    assert await site.post.replies(english, clock(times[0], site.timetable)) == 200
    assert await site.post.replies(japanese, f"{local.hour}時{local.minute}分にお願いします") == 200
    confirmed = [await site.text(phone, "confirmed") for phone in (english, japanese)]
    assert f"{clock(times[0], site.timetable)} to " in confirmed[0].text
    assert f"{local.hour}:{local:%M}〜" in confirmed[1].text
    for promise_id, phone, at in zip(promises, (english, japanese), times, strict=True):
        leg = await site.introduced(site.floor.agents[0], timeout_s=150)
        await site.talks(promise_id, await phone.rings(), leg)
        _, call = await site.network.to(phone.user)
        assert at.timestamp() <= call.at_s < (at + 30 * MINUTE).timestamp()
        story = await site.story(promise_id, "fulfilled")
        assert story.tells("SMS not_reached", "asked for once more | by SMS, for the window of ", "attempt 2 by")
        assert any(line.startswith("SMS confirmed: delivered") for line in story.lines)


async def test_a_stop_while_the_phone_rings_ends_the_ringing_and_nothing_follows(site: SmsSite) -> None:
    """The agent hears why; no call and no SMS to that number any more, whatever is written afterwards."""
    customer, other = site.floor.customer(), site.floor.customer()
    await site.floor.signed_in()
    promise_id, _ = await site.misses(customer)
    assert await site.post.replies(customer, "now") == 200
    await site.text(customer, "confirmed")
    leg = await site.introduced(site.floor.agents[0])
    ringing = await customer.rings()
    assert await site.post.replies(customer, "STOP") == 200
    await ringing.ended
    await site.floor.heard(leg, prompts.AGENT_WITHDRAWN)
    await leg.ended
    story = await site.story(promise_id, "cancelled")
    assert story.tells("attempt 2 by agent-1", "cancelled: the number asked not to be called")

    assert await site.post.replies(customer, "1") == 200
    assert await site.post.replies(customer, "hello?") == 200
    assert (await site.settled(customer))[:3] == ["now", "stop", "blocked"]
    # Whatever was owed to that number would have come by the time that somebody else has theirs.
    await site.misses(other)
    assert len(await site.post.texts_to(customer)) == 2
    assert len(await site.network.to(customer.user)) == 2
    # Hashed, since the site has the key: what people see of the number.
    listed = site.floor.rows("select shown from do_not_call where number like 'h1:%'")
    assert [row["shown"] for row in listed] == [f"{e164(customer.user)[:-4]}****"]


async def test_forged_webhooks_change_nothing_and_a_genuine_one_acts_once_however_often_it_comes(
    site: SmsSite,
) -> None:
    """Each way of forging, for each wish that a customer could have and each thing that a receipt could say."""
    customer = site.floor.customer()
    await site.post.is_told("manners", {"copies": 1})
    await site.floor.signed_in()
    promise_id, sms = await site.misses(customer)
    await site.quiet()
    before = site.everything()
    assert set(before) > {"promises", "sms_outbox", "sms_replies", "sms_receipts", "do_not_call"}
    answers = [await site.post.brings(forged, from_address=FORGER) for forged in forgeries(site, customer, sms)]
    assert len(answers) > 100
    assert set(answers) <= {400, 403, 404}
    assert site.everything() == before

    reply_at = now()
    reply = site.post.wire.reply(e164(customer.user), sms.sender, "tomorrow 3pm", reply_at)
    assert await asyncio.gather(*(site.post.brings(reply) for _ in range(5))) == [200] * 5
    assert await site.settled(customer) == ["time"]
    texts = (sms, await site.text(customer, "confirmed"))
    await site.quiet()
    before = site.everything()
    statuses = ("sent", "delivered", "queued")
    known = [site.post.wire.receipt(one, status, reply_at) for one in texts for status in statuses]
    again = [reply, *(receipt for receipt in known if receipt), reply]
    assert [await site.post.brings(one) for one in again] == [200] * 8
    assert await site.settled(customer) == ["time"]
    assert site.everything() == before
    story = await site.story(promise_id, "waiting")
    assert sum(line.startswith("asked for once more") for line in story.lines) == 1
    assert len(await site.network.to(customer.user)) == 1


async def test_a_reply_that_was_acknowledged_is_acted_on_although_the_controller_is_killed_right_after(
    site: SmsSite,
) -> None:
    """Killed until one was caught that nobody had acted on; after the start it is, and a later "1" has them called."""
    customer = site.floor.customer()
    await site.floor.signed_in()
    promise_id, sms = await site.misses(customer)
    controller = site.floor.stack.controller
    for hours_ahead in range(1, 9):
        at = next_minute(3600 * hours_ahead)
        reply = site.post.wire.reply(e164(customer.user), sms.sender, clock(at, site.timetable), now())
        assert await site.post.brings(reply) == 200
        await controller.kill9()
        waits = site.floor.rows("select id from sms_replies where handled_at is null")
        await controller.start()
        assert set(await site.settled(customer)) == {"time"}
        row = await site.row("select slot_starts_at from promises where id = ?", promise_id)
        assert instant(row["slot_starts_at"]) == at
        if waits:
            break
    assert waits, "each reply was acted on before the process was dead"
    assert await site.post.replies(customer, "1") == 200
    leg = await site.introduced(site.floor.agents[0])
    await site.talks(promise_id, await customer.rings(), leg)
    assert len(await site.network.to(customer.user)) == 2


def forgeries(site: SmsSite, customer: Phone, sms: TakenSms) -> Iterator[SignedWebhook]:
    """Yield genuine webhooks of one customer, each forged in every way that there is."""
    wire, dice, at = site.post.wire, random.Random(1), now()  # noqa: S311 - it has to be repeatable
    genuine = [wire.reply(e164(customer.user), sms.sender, text, at) for text in ("1", "tomorrow 3pm", "2", "STOP")]
    genuine += [one for status in ("sent", "undelivered") if (one := wire.receipt(sms, status, at))]
    for webhook in genuine:
        yield from (forge(wire, webhook, dice) for forge in WAYS.values())
