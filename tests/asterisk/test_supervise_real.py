"""The supervisor's page with real calls behind it: whom a button moves is rung for, and who listens hears the talk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from controller.domain.phone_number import as_printed
from lab.browser import open_browser
from lab.phone import Answer
from tests.asterisk.console_site import let_in, opens, running_console, signs_in
from tests.asterisk.floor import AGENT_HZ, CALLER_HZ, Floor, e164
from tests.asterisk.test_floor_real import hears_both
from tests.browser.staff import HEIGHT, WIDTH, Staff

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from lab.phone import Phone, PhoneCall

SUPPORT, LOANS = "support", "loans"
LOANS_QUEUE = f"""
[[queues]]
name = "{LOANS}"
title_ja = "ローン窓口"
title_en = "Loans"
dialled_numbers = ["0312345699"]
language = "en"
wrap_up_s = 0.5
agent_ring_timeout_s = 25
"""
SERVES = {"agent-1": SUPPORT, "agent-2": SUPPORT, "agent-3": LOANS}
KEY_OF = """
const found = Array.from(document.querySelectorAll('#line tr')).find(row => row.innerText.includes(arguments[0]));
return found?.dataset.key ?? null;
"""
FIRST = "return document.querySelector('#line tr').dataset.key === arguments[0]"
STATE = "return document.querySelector(arguments[0])?.dataset.state === arguments[1]"


def two_queues(text: str) -> str:
    """Return settings with two queues: two agents serve the one, the third the other."""
    agents = [
        f'[[agents]]\nname = "{name}"\nendpoint = "{name}"\nqueues = ["{queue}"]\n' for name, queue in SERVES.items()
    ]
    return "\n".join((text.partition("[[agents]]")[0], LOANS_QUEUE, *agents))


@pytest.fixture(scope="module")
async def running_floor(tmp_path_factory: pytest.TempPathFactory, port: int) -> AsyncIterator[Floor]:
    """Start everything once; phones ring for long, and supervisors may listen."""
    changes = {("[queues]", "agent_ring_timeout_s"): "25", ("line", "allow_listening"): "true"}
    home = tmp_path_factory.mktemp("site")
    async with running_console(home, port, changes=changes, edit=two_queues, agents=len(SERVES)) as floor:
        await let_in(floor, "boss", "supervisor")
        yield floor


@pytest.fixture(scope="module")
def chrome() -> Iterator[Staff]:
    """Open a browser for all tests of this file."""
    with open_browser(width=WIDTH, height=HEIGHT) as opened:
        yield Staff(opened)


@pytest.fixture
async def boss(floor: Floor, chrome: Staff, port: int) -> AsyncIterator[Staff]:
    """Sit a supervisor down in front of the page, when nobody is in the line any more."""
    staff = await signs_in(chrome, port, "boss", "/supervise?lang=ja")
    await staff.until_said("#line-none", "お待ちのお客様はいません")
    assert [row["number"] for row in floor.rows("select number from calls where ending is null")] == []
    yield staff
    await staff.open_any("about:blank")


def rings_of(phone: Phone) -> int:
    """Return how often a phone was rung."""
    return sum(call.incoming for call in phone.calls)


async def in_line(floor: Floor, boss: Staff) -> tuple[PhoneCall, str]:
    """Have somebody call and stand in the line of the page; return their end, and their row."""
    customer = floor.customer()
    call = await floor.calling(customer)
    return call, str(await boss.until(KEY_OF, as_printed(e164(customer.user), "JP")))


async def do(boss: Staff, button: str, said: str, *words: str) -> None:
    """Press a button of the dialog that is open, read what came of it, and close the dialog."""
    await boss.click(f"#{button}")
    await boss.until_said(f"#{said}-said", *words)
    await boss.click(f"#{said}-close")


async def talk(caller: PhoneCall, leg: PhoneCall) -> None:
    """Let two hear each other."""
    leg.talk(AGENT_HZ)
    caller.talk(CALLER_HZ)
    await caller.heard.until_tone(AGENT_HZ)
    await leg.heard.until_tone(CALLER_HZ)


async def test_who_is_moved_rings_at_an_agent_of_the_other_queue(floor: Floor, boss: Staff) -> None:
    """Whose phone was silent before, though they were free."""
    of_loans = await floor.signed_in(2, answers=False)
    before = rings_of(of_loans)
    caller, key = await in_line(floor, boss)
    row = f'#line tr[data-key="{key}"]'
    await boss.until_said(row, "待ち呼", "サポート窓口", "待機中")
    await floor.heard(caller, "hold-offer")
    assert rings_of(of_loans) == before
    await opens(boss, "line", key)
    await boss.choose("#move-to", LOANS)
    await do(boss, "move-button", "waiter", "移動しました", "ローン窓口")
    leg = await of_loans.rings()
    await boss.until_said(row, "ローン窓口", "agent-3", "呼出中")
    await leg.answer()
    await talk(caller, leg)
    await boss.until_said(row, "通話中")


async def test_who_is_put_ahead_is_served_before_who_came_first(floor: Floor, boss: Staff) -> None:
    """The page shows the new order, and the agent's phone rings for it."""
    first, first_key = await in_line(floor, boss)
    second, second_key = await in_line(floor, boss)
    await boss.until(FIRST, first_key)
    await opens(boss, "line", second_key)
    await do(boss, "prioritise", "waiter", "優先にしました")
    await boss.until(FIRST, second_key)
    leg = await (await floor.signed_in()).rings()
    await talk(second, leg)
    await boss.until_said(f'#line tr[data-key="{first_key}"]', "待機中")
    assert first.ending is None


async def test_who_is_assigned_waits_for_that_agent_whoever_else_is_free(floor: Floor, boss: Staff) -> None:
    """Until the agent's talk is over; the other one's phone is silent all the while."""
    assigned = await floor.signed_in(1)
    first, _ = await in_line(floor, boss)
    await talk(first, await assigned.rings())
    caller, key = await in_line(floor, boss)
    await floor.heard(caller, "hold-offer")
    await opens(boss, "line", key)
    await boss.choose("#assign-to", assigned.user)
    await do(boss, "assign-button", "waiter", assigned.user)
    before = rings_of(floor.agents[0])
    await floor.signed_in(0)
    await boss.until(STATE, '#agents tr[data-key="agent-1"]', "available")
    await caller.heard.until_sound(from_s=caller.heard.duration_s + 2)
    await boss.until_said(f'#line tr[data-key="{key}"]', "待機中")
    await first.hang_up()
    await talk(caller, await assigned.rings())
    await boss.until_said(f'#line tr[data-key="{key}"]', "通話中", assigned.user)
    assert rings_of(floor.agents[0]) == before


async def test_the_phone_of_who_is_paused_is_quiet_until_the_pause_is_over(floor: Floor, boss: Staff) -> None:
    """By the buttons of the page alone; the agent does nothing."""
    agent = await floor.signed_in(answers=False)
    before = rings_of(agent)
    await boss.until(STATE, '#agents tr[data-key="agent-1"]', "available")
    await opens(boss, "agents", agent.user)
    await boss.choose("#pause-for", "lunch")
    await do(boss, "pause-button", "agent", agent.user)
    await boss.until_said('#agents tr[data-key="agent-1"]', "離席", "昼休み")
    caller, _ = await in_line(floor, boss)
    await floor.heard(caller, "hold-offer")
    assert rings_of(agent) == before
    await opens(boss, "agents", agent.user)
    await do(boss, "unpause", "agent", agent.user)
    leg = await agent.rings()
    await boss.until(STATE, '#agents tr[data-key="agent-1"]', "ringing")
    await leg.answer()
    await talk(caller, leg)


async def test_who_calls_after_a_queue_was_closed_hears_so_and_who_holds_stays(floor: Floor, boss: Staff) -> None:
    """Taken back, it takes callers again."""
    holds, _ = await in_line(floor, boss)
    await opens(boss, "queues", SUPPORT)
    await do(boss, "close-button", "queue", "受付を終了しました")
    await boss.until_said('#queues tr[data-key="support"]', "受付終了", "boss が終了")
    turned_away = await floor.calling(floor.customer())
    await floor.heard(turned_away, "closed")
    assert await boss.sees("#line tr") == 1
    assert holds.ending is None
    await turned_away.hang_up()
    await boss.click("#undo")
    await boss.until_said("#said", "元に戻しました")
    await boss.until_said('#queues tr[data-key="support"]', "受付中")
    await in_line(floor, boss)
    await boss.until("return document.querySelectorAll('#line tr').length === 2")


async def test_a_third_phone_rings_and_hears_the_talk(floor: Floor, boss: Staff) -> None:
    """Named on the page; both ends are heard, and the talk goes on when the listener hangs up."""
    listener = await floor.signed_in(2)
    listener.when_rung = Answer()
    leg_of = await floor.signed_in()
    caller, _ = await in_line(floor, boss)
    leg = await leg_of.rings()
    await talk(caller, leg)
    await boss.until(STATE, '#agents tr[data-key="agent-1"]', "on_call")
    await opens(boss, "agents", "agent-1")
    await boss.write("#listen-on", listener.user)
    await do(boss, "listen-button", "agent", "agent-1")
    ear = await listener.rings()
    await hears_both(ear)
    await ear.hang_up()
    await ear.ended
    at_s = leg.heard.duration_s
    await leg.heard.until_tone(CALLER_HZ, from_s=at_s)
    await boss.until(STATE, '#agents tr[data-key="agent-1"]', "on_call")
