"""The booking page with real phones: a link from an SMS is opened over HTTP, and a phone rings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from controller.journeys import prompts
from tests.asterisk.floor import e164
from tests.asterisk.sentences import dialled
from tests.asterisk.sms_post import link_in
from tests.asterisk.sms_site import IN_JAPANESE, instant, next_minute, sms_site

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from lab.phone import PhoneCall
    from tests.asterisk.floor import Floor
    from tests.asterisk.hours_site import Timetable
    from tests.asterisk.sms_site import SmsSite

MISSED = "0312345603"
"""Dialled to wait in the line of a queue that writes to whoever hangs up there."""
WINDOW_MIN = 5
LONG_ENOUGH_S = 75
"""For everything to be started, and a time to be booked."""
HUNG_UP_AFTER_S = 1


def settings(timetable: Timetable) -> str:
    """Return the queue that writes to whoever hangs up; its windows begin before long, every five minutes."""
    begins = next_minute(LONG_ENOUGH_S).astimezone(timetable.zone)
    opens = f"00:{begins.minute % WINDOW_MIN:02}-24:00"
    hours = "".join(f'{day} = ["{opens}"]\n' for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun"))
    return f"""
[[entrances]]
name = "to-missed"
dialled_numbers = ["{MISSED}"]
language = "ja"
welcome = "digit-pause"
leads_to = {{ queue = "missed" }}

[[queues]]
name = "missed"
title_ja = "ご注文窓口"
title_en = "Orders"
language = "ja"
wrap_up_s = 0.5
customer_ring_timeout_s = 20
recapture_sms = true
recapture_after_s = {HUNG_UP_AFTER_S}
[queues.hours]
{hours}
[queues.slots]
length_min = {WINDOW_MIN}
lead_min = 0
"""


@pytest.fixture(scope="module")
async def running_site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SmsSite]:
    """Start everything once for the tests of this file."""

    def both(text: str) -> str:
        return text.replace('queues = ["support"]', 'queues = ["support", "missed"]')

    async with sms_site(tmp_path_factory.mktemp("site"), settings, edit=both) as site:
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


@pytest.mark.timeout(480)
async def test_who_hangs_up_in_line_gets_a_link_books_a_time_and_is_called_then(site: SmsSite) -> None:
    """Not before; the link leads to no second wish, and the confirmation by SMS names what was booked."""
    customer = site.floor.customer()
    call = await dialled(customer, MISSED)
    await heard(site, call, prompts.HOLD_OFFER)
    await call.heard.until_sound(from_s=call.heard.duration_s + HUNG_UP_AFTER_S)
    await call.hang_up()
    await call.ended
    link = link_in(await site.text(customer, "missed:"))
    page = await site.post.page(link)
    assert "折り返しのご予約はありません" in page.state
    assert site.floor.rows("select id from promises where number = ?", e164(customer.user)) == []
    status, booked = await site.post.sends_form(link, action="book", starts_at=page.windows[0])
    assert (status, booked.status, booked.is_spent) == (303, 200, True)
    starts_at = instant(page.windows[0])
    local = f"{starts_at.astimezone(site.timetable.zone):%H:%M}"
    assert local in booked.state
    assert local in (await site.text(customer, "confirmed")).text

    assert (await site.post.sends_form(link, action="cancel"))[0] == 303
    promise = await site.row("select id from promises where number = ?", e164(customer.user))
    await site.floor.signed_in()
    leg = await site.introduced(site.floor.agents[0], timeout_s=400)
    await site.talks(promise["id"], await customer.rings(), leg)
    (invite,) = await site.network.to(customer.user)
    assert invite.at_s >= starts_at.timestamp()
    story = await site.story(promise["id"], "fulfilled")
    assert story.tells("promised | on the booking page, for the window of", "attempt 1 by agent-1")


async def test_who_missed_the_call_opens_the_link_wants_a_call_now_and_is_called(site: SmsSite) -> None:
    """Whoever looked at the link before has changed nothing, and nobody can use it again."""
    customer = site.floor.customer()
    await site.floor.signed_in()
    promise_id, sms = await site.misses(customer, IN_JAPANESE)
    link = link_in(sms)
    await site.quiet()
    before = site.everything()
    looks = [await site.post.page(link, head=head) for head in (False, True, False)]
    assert [look.status for look in looks] == [200] * 3
    assert site.everything() == before
    assert (looks[0].is_spent, "action=now" in looks[0].text or 'value="now"' in looks[0].text) == (False, True)

    status, done = await site.post.sends_form(link, action="now")
    assert (status, done.status, done.is_spent) == (303, 200, True)
    leg = await site.introduced(site.floor.agents[0])
    ringing = await customer.rings()
    status, again = await site.post.sends_form(link, action="never", sure="yes")
    assert (status, again.is_spent) == (303, True)
    await site.talks(promise_id, ringing, leg)
    assert site.floor.rows("select number from do_not_call where number <> 'h1'") == []
    assert "お電話" in (await site.post.page(link)).state
    assert len(await site.network.to(customer.user)) == 2
    story = await site.story(promise_id, "fulfilled")
    assert story.tells(
        "SMS not_reached", "asked for once more | on the booking page, as soon as possible", "attempt 2 by"
    )


async def test_who_asks_on_the_page_never_to_be_called_again_is_neither_called_nor_texted(site: SmsSite) -> None:
    """While their phone rings for the second time: it stops; whoever asks for a call there again gets none."""
    customer = site.floor.customer()
    await site.floor.signed_in()
    promise_id, sms = await site.misses(customer)
    assert await site.post.replies(customer, "1") == 200
    await site.text(customer, "confirmed")
    leg = await site.introduced(site.floor.agents[0])
    ringing = await customer.rings()
    status, done = await site.post.sends_form(link_in(sms), action="never", sure="yes")
    assert (status, done.is_spent) == (303, True)
    await ringing.ended
    await site.floor.heard(leg, prompts.AGENT_WITHDRAWN)
    await leg.ended
    await site.story(promise_id, "cancelled")
    assert await site.post.replies(customer, "1") == 200
    assert await site.settled(customer) == ["now", "blocked"]
    assert len(await site.network.to(customer.user)) == 2
    await site.quiet()
    assert len(await site.post.texts_to(customer)) == 2


async def heard(site: SmsSite, call: PhoneCall, prompt: str) -> None:
    """Wait until a prompt was heard in Japanese."""
    await call.heard.until_prompt(site.floor.stack.prompts.file(prompt, "ja"), 30)
