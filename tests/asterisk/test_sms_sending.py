"""What is sent by SMS, on a real Asterisk and over a provider that misbehaves: pages from the menu, and being late."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.asterisk.floor import e164
from tests.asterisk.sentences import dialled, promise_to
from tests.asterisk.sms_post import link_in
from tests.asterisk.sms_site import clock, instant, next_minute, now, sms_site

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from lab.phone import Phone
    from tests.asterisk.floor import Floor
    from tests.asterisk.hours_site import Timetable
    from tests.asterisk.sms_site import SmsSite

MENU_EN, MENU_JA = "0312345603", "0312345604"
LATE = "0312345605"
"""Dialled to leave a number, and to choose a time, with a queue that nobody serves for the time being."""
PAGE = "https://example.jp/hours"
WINDOW_MIN = 5
LONG_ENOUGH_S = 90
"""For everything to be started, and a time to be booked."""


def settings(timetable: Timetable) -> str:
    """Return a menu in two languages with its page, and a queue whose windows begin before long."""
    entrances = "\n".join(
        f'[[entrances]]\nname = "menu-{language}"\ndialled_numbers = ["{number}"]\nlanguage = "{language}"\n'
        'welcome = "digit-pause"\nleads_to = { menu = "main" }\n'
        for number, language in ((MENU_EN, "en"), (MENU_JA, "ja"))
    )
    begins = next_minute(LONG_ENOUGH_S).astimezone(timetable.zone)
    opens = f"00:{begins.minute % WINDOW_MIN:02}-24:00"
    hours = "".join(f'{day} = ["{opens}"]\n' for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun"))
    return f"""
{entrances}
[[entrances]]
name = "to-late"
dialled_numbers = ["{LATE}"]
language = "en"
welcome = "digit-pause"
leads_to = {{ callback = "late" }}

[[menus]]
name = "main"
prompts = ["digit-1"]
no_key = {{ queue = "support" }}
[menus.keys]
3 = {{ web_page = "hours" }}
7 = {{ booking_link = "support" }}

[[web_pages]]
name = "hours"
url = "{PAGE}"
title_ja = "営業時間のご案内"
title_en = "Opening hours"

[[queues]]
name = "late"
title_ja = "遅番"
title_en = "Late shift"
language = "en"
wrap_up_s = 0.5
customer_ring_timeout_s = 20
late_notice_s = 300
[queues.hours]
{hours}
[queues.slots]
length_min = {WINDOW_MIN}
lead_min = 0
"""


@pytest.fixture(scope="module")
async def running_site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SmsSite]:
    """Start everything once for the tests of this file."""

    def late_shift(text: str) -> str:
        before, found, after = text.rpartition('queues = ["support"]')
        assert found
        return f'{before}queues = ["late"]{after}'

    async with sms_site(tmp_path_factory.mktemp("site"), settings, agents=3, edit=late_shift) as site:
        yield site


@pytest.fixture(scope="module")
async def booked(running_site: SmsSite) -> tuple[Phone, str]:
    """Have somebody book the first window of the queue that nobody serves; return their phone and the promise's id."""
    customer = running_site.floor.customer()
    call = await dialled(customer, LATE, "1211")
    promise = await promise_to(running_site.floor, e164(customer.user))
    await call.hang_up()
    await call.ended
    return customer, str(promise["id"])


@pytest.fixture(scope="module")
def running_floor(running_site: SmsSite) -> Floor:
    """Give the tests the floor of this site."""
    return running_site.floor


@pytest.fixture
def site(running_site: SmsSite, floor: Floor, booked: tuple[Phone, str]) -> SmsSite:
    """Give a test the site with every phone on the hook; somebody waits for a window all the while."""
    assert running_site.floor is floor
    assert booked
    return running_site


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (MENU_EN, ("Opening hours", "book your callback here")),
        (MENU_JA, ("営業時間のご案内", "こちらからお申し込みください")),
    ],
    ids=("en", "ja"),
)
async def test_a_page_and_a_booking_link_that_are_asked_for_in_the_menu_reach_the_phone(
    site: SmsSite, number: str, words: tuple[str, str]
) -> None:
    """In the language of the call; the link opens the page on which a callback is booked, and has made none by that."""
    customer = site.floor.customer()
    language = "ja" if number == MENU_JA else "en"
    for key, template in (("3", "page:"), ("7", "booking:")):
        call = await dialled(customer, number, f"{key}1")
        await call.heard.until_prompt(site.floor.stack.prompts.file("sms-sent", language), 30)
        await call.hang_up()
        await call.ended
        await site.text(customer, template)
    page, link = await site.post.texts_to(customer)
    assert PAGE in page.text
    assert [word in sms.text for word, sms in zip(words, (page, link), strict=True)] == [True, True]
    shown = await site.post.page(link_in(link))
    assert (shown.status, shown.is_spent) == (200, False)
    assert f'<html lang="{language}">' in shown.text
    assert shown.windows
    assert site.floor.rows("select id from promises where number = ?", e164(customer.user)) == []


async def test_an_sms_that_the_provider_took_without_an_answer_is_sent_once_and_settled_by_its_receipt(
    site: SmsSite,
) -> None:
    """Unknown until then, whatever else is sent meanwhile; the story has both."""
    customer, other = site.floor.customer(), site.floor.customer()
    await site.post.is_told("manners", {"receipts": False})
    await site.post.is_told("faults", ["taken_then_silent"])
    await site.floor.signed_in()
    promise_id, sms = await site.misses(customer)
    await site.row("select id from sms_outbox where key = ? and status = 'unknown'", sms.key)
    story = await site.story(promise_id, "waiting")
    assert any(line.startswith("SMS not_reached: unknown") for line in story.lines)

    await site.misses(other)
    assert [one.key for one in await site.post.texts_to(customer)] == [sms.key]
    for status in ("sent", "delivered"):
        receipt = site.post.wire.receipt(sms, status, now())
        assert receipt is not None
        assert await site.post.brings(receipt) == 200
    await site.row("select id from sms_outbox where key = ? and status = 'delivered'", sms.key)
    story = await site.story(promise_id, "waiting")
    assert any(line.startswith("SMS not_reached: delivered") for line in story.lines)
    await site.post.is_told("manners", {"receipts": True})


async def test_an_sms_that_is_put_off_by_the_provider_is_sent_when_it_says_and_once(site: SmsSite) -> None:
    """429 with Retry-After, and then 503: neither took it."""
    customer = site.floor.customer()
    await site.post.is_told("faults", ["throttled", "unavailable"])
    await site.floor.signed_in()
    promise_id, sms = await site.misses(customer)
    row = await site.row("select * from sms_outbox where key = ? and status = 'delivered'", sms.key)
    assert row["tries"] == 3
    assert [one.key for one in await site.post.texts_to(customer)] == [f"{promise_id}:not_reached"]


@pytest.mark.timeout(480)
async def test_who_was_promised_a_window_that_nobody_can_keep_hears_so_before_its_end_and_once(
    site: SmsSite, booked: tuple[Phone, str]
) -> None:
    """With the time to expect the call at. Then an agent comes after all: they are called, and talk."""
    customer, promise_id = booked
    promise = await site.row("select slot_starts_at, slot_ends_at from promises where id = ?", promise_id)
    sms = await site.text(customer, "running_late", timeout_s=420)
    told_at = now()
    starts_at, ends_at = (instant(promise[column]) for column in ("slot_starts_at", "slot_ends_at"))
    assert starts_at < told_at < ends_at
    assert "we cannot call at the time that we promised" in sms.text
    details = await site.row("select details from sms_outbox where key = ?", sms.key)
    expected_at = instant(json.loads(details["details"])["expected_at"])
    assert expected_at >= ends_at
    assert clock(expected_at, site.timetable) in sms.text

    await site.floor.signed_in(2)
    leg = await site.introduced(site.floor.agents[2])
    await site.talks(promise_id, await customer.rings(), leg)
    story = await site.story(promise_id, "fulfilled")
    assert story.tells(
        "promised", "the window cannot be kept", "attempt 1 by agent-3", "attempt 1 over carrier: talked"
    )
    assert len([one for one in await site.post.texts_to(customer) if "running_late" in one.key]) == 1
