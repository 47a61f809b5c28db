"""The agents' desk beside a real phone: it rings and the card is there; they talk, hang up, wrap up, write, go on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from controller.domain.phone_number import as_printed
from lab.browser import open_browser
from lab.phone import Ignore
from tests.asterisk.console_site import let_in, running_console, signs_in
from tests.asterisk.floor import AGENT_HZ, CALLER_HZ, Floor, e164
from tests.browser.staff import HEIGHT, WIDTH, Staff

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from lab.phone import Phone, PhoneCall

WRAP_UP_S = 600


@pytest.fixture(scope="module")
async def running_floor(tmp_path_factory: pytest.TempPathFactory, port: int) -> AsyncIterator[Floor]:
    """Start everything once, with a console, dispositions, and a wrap-up that nobody waits for to end."""
    changes = {
        ("[queues]", "wrap_up_s"): str(WRAP_UP_S),
        ("[queues]", "agent_ring_timeout_s"): "25",
        ("desk", "dispositions"): '["解決", "要確認"]',
    }
    async with running_console(tmp_path_factory.mktemp("site"), port, changes=changes) as floor:
        await let_in(floor, "hanako", "agent", agent=floor.agents[0].user)
        await let_in(floor, "boss", "supervisor")
        yield floor


@pytest.fixture(scope="module")
def browsers() -> Iterator[tuple[Staff, Staff]]:
    """Open a browser for the agent, and one for the supervisor."""
    with open_browser(width=WIDTH, height=HEIGHT) as one, open_browser(width=WIDTH, height=HEIGHT) as other:
        yield Staff(one), Staff(other)


@pytest.fixture
async def desk(floor: Floor, browsers: tuple[Staff, Staff], port: int) -> AsyncIterator[Staff]:
    """Sit an agent down, whose phone rings until they answer it."""
    await floor.signed_in(answers=False)
    signed_in = await signs_in(browsers[0], port, "hanako", "/desk")
    yield signed_in
    if await signed_in.shows("#more-wrap-up"):  # It would outlast the test, and the phone.
        await signed_in.click("#to-available")
        await signed_in.until_gone("#more-wrap-up")
    await signed_in.open_any("about:blank")


async def talk(floor: Floor, desk: Staff, customer: Phone) -> tuple[PhoneCall, PhoneCall, str]:
    """Have a customer call, the card pop up, and the agent answer; return both ends, and the customer's number."""
    caller = await floor.calling(customer)
    leg = await floor.agents[0].rings()
    printed = as_printed(e164(customer.user), "JP")
    await desk.until_said("#state-word", "呼出中")
    await desk.until_said("#card-number", printed)
    await leg.answer()
    leg.talk(AGENT_HZ)
    caller.talk(CALLER_HZ)
    await asyncio.gather(caller.heard.until_tone(AGENT_HZ), leg.heard.until_tone(CALLER_HZ))
    await desk.until_said("#state-word", "通話")
    return caller, leg, printed


@pytest.mark.timeout(300)
async def test_a_talk_from_the_ring_to_the_next_call(floor: Floor, desk: Staff) -> None:
    """The card is there while it rings; a note and what it came to; the wrap-up ends by button, and it rings again."""
    await desk.until_said("#state-word", "待機")
    caller, leg, printed = await talk(floor, desk, floor.customer())
    await desk.choose("#note-disposition", "解決")
    await desk.write("#note-text", "折り返し不要")
    await desk.until_said("#note-status", "保存しました")
    await caller.hang_up()
    await leg.ended
    await desk.until_said("#state-word", "後処理")
    await desk.until_said("#rest", "残り")
    assert printed in await desk.said("#card-number")
    (row,) = floor.rows("select disposition, text, agent, number from call_notes")
    (call,) = floor.rows("select number from calls")
    assert tuple(row) == ("解決", "折り返し不要", floor.agents[0].user, call["number"])
    await desk.click("#to-available")
    await desk.until_said("#state-word", "待機")
    await desk.until_gone("#card-body")
    caller, leg, _ = await talk(floor, desk, floor.customer())
    await desk.click("#hang-up")
    await asyncio.gather(caller.ended, leg.ended)
    await desk.until_said("#state-word", "後処理")


@pytest.mark.timeout(300)
async def test_a_callback_that_an_agent_books_is_made(floor: Floor, desk: Staff) -> None:
    """In the wrap-up, as soon as possible: the agent's phone rings for it, the card says why, and they talk again."""
    customer = floor.customer()
    caller, leg, printed = await talk(floor, desk, customer)
    await caller.hang_up()
    await leg.ended
    await desk.until_said("#state-word", "後処理")
    await desk.click("#redial-open")
    await desk.until_seen("#redial-book")
    await desk.choose("#redial-when", "soon")
    await desk.click("#redial-book")
    await desk.until_said("#redial-said", "再架電を予約しました", printed)
    (promise,) = floor.rows("select id, state, number from promises")
    assert promise["state"] == "waiting"
    await desk.click("#to-available")
    ringing = await floor.agents[0].rings(timeout_s=60)
    await desk.until_said("#card-kind", "折り返し")
    await desk.until_said("#past", "着信")
    assert printed in await desk.said("#card-number")
    await ringing.answer()
    ringing.talk(AGENT_HZ)
    callback = await customer.rings()
    await callback.answer()
    await callback.answered()
    await callback.press("1")
    callback.talk(CALLER_HZ)
    await asyncio.gather(callback.heard.until_tone(AGENT_HZ), ringing.heard.until_tone(CALLER_HZ))
    await desk.until_said("#state-word", "通話")
    await callback.hang_up()
    await ringing.ended
    await desk.until_said("#state-word", "後処理")
    await floor.promise_is(promise["id"], "fulfilled")


@pytest.mark.timeout(300)
async def test_a_pause_by_button_keeps_the_phone_silent_until_it_ends(floor: Floor, desk: Staff) -> None:
    """What the page shows is what the line does."""
    await desk.until_said("#state-word", "待機")
    await desk.click("#to-pause-lunch")
    await desk.until_said("#state-word", "離席")
    before = sum(call.incoming for call in floor.agents[0].calls)
    caller = await floor.holding(floor.customer())
    assert sum(call.incoming for call in floor.agents[0].calls) == before
    await desk.click("#to-available")
    leg = await floor.agents[0].rings()
    await desk.until_said("#state-word", "呼出中")
    await leg.answer()
    await desk.until_said("#state-word", "通話")
    await caller.hang_up()
    await leg.ended
    await desk.until_said("#state-word", "後処理")


@pytest.mark.timeout(300)
async def test_a_supervisor_sees_a_caller_puts_them_ahead_and_is_told_when_they_are_gone(
    floor: Floor, browsers: tuple[Staff, Staff], port: int
) -> None:
    """A caller who holds is seen in the list, is put ahead, and is gone from it when they hang up."""
    boss = await signs_in(browsers[1], port, "boss", "/supervise")
    floor.agents[0].when_rung = Ignore()
    caller = await floor.holding(floor.customer())
    await boss.until_said("#line", "待ち呼")
    await boss.click("#line .act")
    await boss.until_seen("dialog[open]")
    await boss.click("#prioritise")
    await boss.until_said("#waiter-said", "優先にしました")
    await boss.until_said("#line", "優先")
    await caller.hang_up()
    await boss.until_said("#waiter-gone", "もういません")
    await boss.open_any("about:blank")
