"""The figures of a few calls on a real Asterisk with real phones, held against what the phones did."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from controller.domain.figure_facts import Counting
from controller.domain.figure_rows import AGENT_COLUMNS, COLUMNS
from controller.domain.figures import by_agent, figures
from controller.domain.intervals import Interval
from controller.settings import load_settings
from controller.store import open_beside
from controller.system_clock import SystemClock
from lab.phone import Answer
from tests.asterisk.floor import AGENT_HZ, CALLER_HZ, e164

if TYPE_CHECKING:
    from lab.phone import PhoneCall
    from tests.asterisk.floor import Floor

TALK_S = 3.0
BY_HAND = {
    "offered": 3,
    "answered": 1,
    "abandoned": 1,
    "promised": 1,
    "answer_percent": 33.3,
    "reached_percent": 66.7,
    "talks": 2,
    "callbacks_offered": 2,  # Who got an agent at once was offered none.
    "callbacks_taken": 1,
    "promises": 1,
    "promises_kept": 1,
    "calls_out": 1,
    "kept_percent": 100.0,
}


async def talk(leg: PhoneCall, caller: PhoneCall) -> float:
    """Let the two hear each other for some seconds, and the caller hang up; return for how long they talked."""
    caller.talk(CALLER_HZ)
    heard_s, began_s = await asyncio.gather(caller.heard.until_tone(AGENT_HZ), leg.heard.until_tone(CALLER_HZ))
    await caller.heard.until_tone(AGENT_HZ, from_s=heard_s + TALK_S)
    await caller.hang_up()
    await leg.ended
    return leg.heard.duration_s - began_s


async def told(floor: Floor, *command: str) -> Any:
    """Return what a command of the controller says, as a program would read it."""
    words = ("-m", "controller", *command, "--json", "--settings", str(floor.stack.settings))
    process = await asyncio.create_subprocess_exec(sys.executable, *words, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    assert process.returncode == 0
    return json.loads(output)


async def until_written(floor: Floor, query: str, count: int) -> None:
    """Wait until a query finds so many rows: what happened is written behind whoever does it."""
    async with asyncio.timeout(20):
        while len(floor.rows(query)) < count:
            await floor.stack.pbx.cli("core waitfullybooted")  # Gives it time.


async def served_abandoned_and_called_back(floor: Floor) -> float:
    """Have three people call: one is answered at once, one gives up, one is called back. Return the mean talk."""
    agent = await floor.signed_in()
    first = await floor.calling(floor.customer())
    first_s = await talk(await agent.rings(), first)
    await until_written(floor, "select id from agent_spans where state = 'wrap_up' and until is not null", 1)
    await agent.unregister()
    gives_up = await floor.holding(floor.customer())
    await gives_up.hang_up()
    customer = floor.customer()
    leaves = await floor.holding(customer)
    await leaves.press("11")
    await floor.heard(leaves, "promise-made")
    await leaves.ended
    customer.when_rung = Answer(after_s=0.2)
    leg = await (await floor.signed_in()).rings()
    callback = await customer.rings()
    await callback.answered()
    await floor.heard(callback, "callback-confirm")
    await callback.press("1")
    second_s = await talk(leg, callback)
    (promise,) = floor.rows("select id from promises where number = ?", e164(customer.user))
    await floor.promise_is(promise["id"], "fulfilled")
    await until_written(floor, "select id from agent_spans where state = 'wrap_up' and until is not null", 2)
    await until_written(floor, "select id from calls where ending is not null", 3)
    return (first_s + second_s) / 2


async def test_the_figures_of_three_calls_are_what_the_phones_did(floor: Floor) -> None:
    """Counts to the call, talks to the second; and the command line tells the same."""
    began_at = SystemClock().now()
    mean_talk_s = await served_abandoned_and_called_back(floor)
    ended_at = SystemClock().now() + timedelta(seconds=1)
    settings = load_settings(floor.stack.settings, {}, needs_secrets=False)
    async with open_beside(settings.database_url, policies={}, clock=SystemClock()) as store:
        facts = await store.facts.facts(began_at, ended_at, as_of=ended_at)
    hour = Interval(began_at, ended_at)
    found = {column.key: column.cell(figures(facts, hour, Counting())) for column in COLUMNS}
    assert {key: found[key] for key in BY_HAND} == BY_HAND
    # The agent's phone was up a little before and after the two tones were heard.
    assert found["att_s"] == pytest.approx(mean_talk_s, abs=1.5)
    assert found["acw_s"] == pytest.approx(0.5, abs=0.3)
    assert found["mean_hold_s"] is not None
    assert found["mean_true_s"] is not None
    assert 0 < found["mean_hold_s"] < found["mean_true_s"]
    assert found["asa_s"] == pytest.approx(6, abs=6)
    assert found["service_level_percent"] == 33.3
    (agent,) = [each for each in by_agent(facts, hour) if each.agent == "agent-1"]
    shown = {column.key: column.cell(agent) for column in AGENT_COLUMNS}
    assert (shown["talks"], shown["callback_talks"], shown["att_s"]) == (2, 1, found["att_s"])
    zone = ZoneInfo("Asia/Tokyo")
    days = {call.arrived_at.astimezone(zone).date() for call in facts.calls}
    told_days = [await told(floor, "figures", "--day", day.isoformat()) for day in sorted(days)]
    for key in ("offered", "answered", "callbacks_offered", "promises_kept"):
        assert sum(day["rows"][-1][key] for day in told_days) == BY_HAND[key], key
