"""Where keys of a menu lead, on a real Asterisk with real phones: ahead of others, a page, outside, a message."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from lab.audio import looks_like_music, tone_share
from lab.phone import Answer, Busy, Ignore, Side
from tests.asterisk.floor import AGENT_HZ, CALLER_HZ, e164
from tests.asterisk.menu_callers import (
    all_heard,
    dials,
    ending_of,
    hear_each_other,
    hears,
    passer_by,
    stay,
)
from tests.asterisk.menu_site import (
    BRANCH,
    LOBBY,
    NOTICE_HZ,
    PAGE,
    QUICK_EN,
    QUICK_JA,
    menu_floor,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from lab.phone import PhoneCall
    from tests.asterisk.floor import Floor

MUSIC_S = 4.0
"""Long enough for a piece that begins quietly to be told from silence."""


@pytest.fixture(scope="module")
async def running_floor(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Floor]:
    """Start everything once for the tests of this file, with menus."""
    async with menu_floor(tmp_path_factory.mktemp("site")) as floor:
        yield floor


async def test_an_urgent_caller_is_served_before_one_who_came_earlier_and_is_offered_no_callback(
    floor: Floor,
) -> None:
    """The other one, who chose the queue by its key, is offered one and is served next."""
    patient = await dials(passer_by(floor, 0), QUICK_EN, "1")
    urgent = await dials(passer_by(floor, 1), QUICK_EN, "7")
    await asyncio.gather(hears(floor, patient, "en/hold-offer"), hears(floor, urgent, "en/urgent-connecting"))
    agent = await floor.signed_in()
    leg = await agent.rings()
    await hear_each_other(leg, urgent)
    assert await all_heard(floor, urgent) == ["en/urgent-connecting"]
    assert tone_share(patient.heard.slice(patient.heard.duration_s - 1), AGENT_HZ) < 0.5
    await urgent.hang_up()
    await leg.ended
    await hear_each_other(await agent.rings(), patient)
    assert await stay(floor, passer_by(floor, 0)) == ("support", agent.user)


async def test_a_page_is_sent_by_sms_to_whoever_calls_in_their_language(floor: Floor) -> None:
    """The number is read back digit by digit first; who shows none is told so, and hears the menu again."""
    english, japanese, hidden = floor.customer(), floor.customer(), passer_by(floor, 0)

    async def listens() -> None:
        call = await dials(english, QUICK_EN, "3")
        at = await hears(floor, call, "en/sms-offer")
        for digit in english.user:
            at = await hears(floor, call, f"en/digit-{digit}", from_s=at)
        await call.press("1")
        await hears(floor, call, "en/sms-sent", from_s=at)
        await call.hang_up()

    async def knows_it_all() -> None:
        call = await dials(japanese, QUICK_JA, "31")
        await hears(floor, call, "ja/sms-sent", "ja/goodbye")
        await call.ended
        assert await ending_of(floor, QUICK_JA) == "guided"

    async def shows_no_number() -> None:
        call = await dials(hidden, f"184{QUICK_EN}", "3")
        await hears(floor, call, "en/sms-needs-mobile", "en/menu-japanese", f"en/{LOBBY}")
        await call.hang_up()

    seen = len(floor.stack.controller.lines)
    await asyncio.gather(listens(), knows_it_all(), shows_no_number())
    first = await floor.stack.controller.logged("sms_sent", since=seen)
    await floor.stack.controller.logged("sms_sent", since=seen, where=lambda line: line is not first)
    ((to_english,), (to_japanese,)) = floor.sent_sms(english), floor.sent_sms(japanese)
    assert (PAGE in to_english["text"], "Opening hours" in to_english["text"]) == (True, True)
    assert (PAGE in to_japanese["text"], "営業時間のご案内" in to_japanese["text"]) == (True, True)
    numbers = {row["number"] for row in floor.rows("select number from sms_outbox")}
    assert numbers == {e164(english.user), e164(japanese.user)}


async def test_a_caller_is_joined_with_a_number_outside_which_sees_theirs(floor: Floor) -> None:
    """Music until it answers; then both hear each other, until one hangs up."""
    phone, office = passer_by(floor, 0), floor.customers[18]
    office.when_rung = Ignore()
    call = await dials(phone, QUICK_EN, "4")
    rung = await office.rings()
    assert rung.caller_id.number == phone.user
    began_s = await call.heard.until_sound(from_s=call.heard.duration_s)
    # A piece of music, chosen by chance, may begin quietly.
    await call.heard.until_sound(from_s=began_s + MUSIC_S)
    rung.talk(AGENT_HZ)
    await rung.answer()
    await hear_each_other(rung, call)
    assert looks_like_music(call.heard.slice(began_s, began_s + MUSIC_S))
    assert await all_heard(floor, call) == ["en/transferring"]
    await rung.hang_up()
    assert (await call.ended).by is Side.THERE
    assert await ending_of(floor, QUICK_EN) == "transferred"


async def test_a_number_outside_that_is_busy_or_does_not_answer_leads_back_to_the_menu(floor: Floor) -> None:
    """Of two callers one finds it busy; the other withholds the number, which is not shown, and hears it ring out."""
    service, branch = floor.customers[18:20]
    service.when_rung, branch.when_rung = Busy(), Ignore()
    back = ("en/transferring", "en/transfer-failed", "en/menu-japanese")

    async def finds_it_busy() -> None:
        call = await dials(passer_by(floor, 0), QUICK_EN, "4")
        await hears(floor, call, *back)
        await call.hang_up()

    async def hears_it_ring_out() -> None:
        call = await dials(passer_by(floor, 1), f"184{QUICK_EN}", "0")
        rung = await branch.rings()
        assert rung.caller_id.number == floor.stack.site.service_number
        await the_network_gives_up(floor, BRANCH)
        await hears(floor, call, *back)
        assert (await rung.ended).by is Side.THERE
        await call.hang_up()

    await asyncio.gather(finds_it_busy(), hears_it_ring_out())


async def the_network_gives_up(floor: Floor, number: str) -> None:
    """Have the telephone network end the ringing of a line, as it does after a while."""
    channels = (await floor.stack.carrier.cli("core show channels concise")).splitlines()
    (ringing,) = [line.split("!")[0] for line in channels if line.startswith(f"PJSIP/{number}-")]
    await floor.stack.carrier.cli(f"channel request hangup {ringing}")


async def test_the_recording_of_an_admin_is_what_is_heard_as_a_message_before_the_call_ends(floor: Floor) -> None:
    """In the caller's language; told apart by its tone."""
    call = await dials(passer_by(floor, 0), QUICK_JA, "6")
    at = await call.heard.until_tone(NOTICE_HZ["ja"])
    assert (await call.ended).by is Side.THERE
    assert tone_share(call.heard.slice(at, at + 0.6), NOTICE_HZ["en"]) < 0.5
    assert await ending_of(floor, QUICK_JA) == "informed"


async def test_a_number_that_is_left_straight_from_the_menu_is_called_back(floor: Floor) -> None:
    """Without having waited in line."""
    customer = floor.customer()
    call = await dials(customer, QUICK_EN, "51")
    await hears(floor, call, "en/promise-made")
    await call.ended
    assert await all_heard(floor, call) == ["en/promise-made"]
    (promise,) = floor.rows("select id, queue from promises where number = ?", e164(customer.user))
    assert promise["queue"] == "support"
    customer.when_rung = Answer()
    leg = await (await floor.signed_in()).rings()
    callback = await customer.rings()
    await callback.answered()
    await callback.press("1")
    await hear_each_other(leg, callback)
    await callback.hang_up()
    await floor.promise_is(promise["id"], "fulfilled")


async def test_kill_9_leaves_a_talk_with_the_outside_alone_and_says_the_menu_again_to_whoever_was_in_it(
    floor: Floor,
) -> None:
    """In the language that they had chosen. The talk is taken up as what it was."""
    chooser, office = floor.customer(), floor.customers[18]
    office.when_rung = Answer(tone_hz=AGENT_HZ)

    async def talks() -> tuple[PhoneCall, PhoneCall]:
        call = await dials(passer_by(floor, 0), QUICK_EN, "4")
        rung = await office.rings()
        await hear_each_other(rung, call)
        return call, rung

    async def chooses() -> PhoneCall:
        call = await dials(chooser, QUICK_JA, "8")
        await hears(floor, call, "en/language-set", f"en/{LOBBY}")
        return call

    (talking, outside), choosing = await asyncio.gather(talks(), chooses())
    died_at = {call: call.heard.duration_s for call in (talking, outside, choosing)}
    await floor.stack.controller.kill9()
    await floor.stack.controller.start()
    taken_up = {call: call.heard.duration_s for call in died_at}
    await hears(floor, choosing, f"en/{LOBBY}", from_s=taken_up[choosing])
    await choosing.press("6")
    await choosing.heard.until_tone(NOTICE_HZ["en"], from_s=taken_up[choosing])
    assert "ja/welcome" not in await all_heard(floor, choosing)
    for call, hz in ((talking, AGENT_HZ), (outside, CALLER_HZ)):
        assert tone_share(call.heard.slice(died_at[call], taken_up[call]), hz) > 0.8
        await call.heard.until_tone(hz, from_s=taken_up[call])
    await outside.hang_up()
    assert (await talking.ended).by is Side.THERE
    assert await ending_of(floor, QUICK_EN) == "transferred"
