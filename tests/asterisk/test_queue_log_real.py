"""The queue log of a real Asterisk: what its app_queue writes, and what we write through AMI for the same story."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

import aiohttp
import pytest

from controller.asterisk.ami_account import AmiAccount
from controller.asterisk.queue_log import AmiQueueLog
from controller.domain.queue_events import (
    Abandoned,
    AgentAdded,
    AgentPaused,
    AgentRemoved,
    AgentUnpaused,
    Completed,
    Connected,
    Entered,
    QueueEvent,
    RangOut,
)
from controller.provision.site import CONTROL_HOST
from controller.system_clock import SystemClock
from lab.pbx import running_pair
from lab.phone import Answer, Busy, PhoneShelf

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from controller.provision import Site
    from lab.pbx import Asterisk
    from lab.phone import Phone, PhoneCall

pytestmark = pytest.mark.timeout(120)


DUTY: dict[str, type[AgentAdded | AgentRemoved | AgentUnpaused]] = {
    "ADDMEMBER": AgentAdded,
    "REMOVEMEMBER": AgentRemoved,
    "UNPAUSE": AgentUnpaused,
}


@dataclass
class Desk:
    """A PBX, an agent's phone and a customer's."""

    site: Site
    pbx: Asterisk
    agent: Phone
    customer: Phone

    async def lines(self, count: int) -> list[str]:
        """Return the log once it has this many lines, without Asterisk's own of its start."""
        async with asyncio.timeout(20):
            while len(found := self._read()) < count:
                await self.pbx.cli("core waitfullybooted")  # Gives it time to write.
        return found

    def _read(self) -> list[str]:
        text = (self.pbx.log_path.parent / "queue_log").read_text("utf-8")
        return [line for line in text.splitlines() if "|QUEUESTART|" not in line]

    async def enters_the_queue(self) -> PhoneCall:
        """Have the customer wait in app_queue's queue."""
        self.customer.when_rung = Answer()
        login = aiohttp.encode_basic_auth(self.site.ari_user, self.site.ari_password)
        target = {"endpoint": f"PJSIP/{self.customer.user}@{self.site.trunk}", "callerId": self.customer.user}
        place = {"context": "orikaeshi-fallback", "extension": "s", "priority": 1}
        async with (
            aiohttp.ClientSession(headers={"Authorization": login}) as http,
            http.post(f"{self.site.ari_url}/channels", json=target | place) as answer,
        ):
            assert answer.status == HTTPStatus.OK, await answer.text()
        return await self.customer.rings(10)


@pytest.fixture
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    """Furnish one for each test: a log cannot be emptied."""
    async with running_pair(tmp_path_factory.mktemp("log"), agents=2, customers=1) as (site, pbx, _), PhoneShelf() as s:
        agent = await s.add(site.agents[0].user, site.agents[0].password, site.host, site.ports.sip)
        customer = await s.add(site.customers[0].user, site.customers[0].password, site.host, site.ports.carrier_sip)
        await agent.register()
        await customer.register()
        yield Desk(site, pbx, agent, customer)


@asynccontextmanager
async def our_log(site: Site) -> AsyncIterator[AmiQueueLog]:
    """Run our own writer for the length of the block."""
    account = AmiAccount(CONTROL_HOST, site.ports.ami, site.ami_user, site.ami_password)
    log = AmiQueueLog(account, clock=SystemClock())
    task = asyncio.create_task(log.run())
    try:
        yield log
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def event_of(line: str) -> QueueEvent:
    """Read a line by the documentation of Asterisk ("Queue Logs"): the event that makes us write it."""
    _time, call_id, queue, agent, name, *fields = line.split("|")
    match name, fields:
        case "ENTERQUEUE", [_url, number, place]:
            return Entered(call_id, queue, number or None, int(place))
        case "RINGNOANSWER", [ring_ms]:
            return RangOut(call_id, queue, agent, int(ring_ms) / 1000)
        case "CONNECT", [hold_s, agent_call_id, ring_s]:
            return Connected(call_id, queue, agent, int(hold_s), agent_call_id, int(ring_s))
        case (("COMPLETEAGENT" | "COMPLETECALLER"), [hold_s, talk_s, place]):
            by_agent = name == "COMPLETEAGENT"
            return Completed(call_id, queue, agent, int(hold_s), int(talk_s), int(place), by_agent=by_agent)
        case "ABANDON", [place, first_place, wait_s]:
            return Abandoned(call_id, queue, int(place), int(first_place), int(wait_s))
        case "PAUSE", [reason]:
            return AgentPaused(queue, agent, reason)
        case (("ADDMEMBER" | "REMOVEMEMBER" | "UNPAUSE"), [""]):
            return DUTY[name](queue, agent)
    raise AssertionError(f"app_queue wrote what nobody expected: {line}")


def without_time(line: str) -> str:
    """Return a line as it is compared. Who adds a member at the console is called CLI, a program MANAGER."""
    return line.partition("|")[2].replace("CLI|", "MANAGER|")


async def rewritten(desk: Desk, theirs: list[str]) -> list[str]:
    """Have the events of app_queue's lines written by us into the same log; return our lines."""
    async with our_log(desk.site) as log:
        for line in theirs:
            log.note(event_of(line))
        return (await desk.lines(2 * len(theirs)))[len(theirs) :]


async def test_calls_are_written_as_app_queue_writes_them(desk: Desk) -> None:
    """Field by field: a phone that was busy, a talk that the agent ended, one that the caller ended, one abandoned."""
    desk.agent.when_rung = Busy()
    waiting = await desk.enters_the_queue()
    await desk.agent.rings(20)
    desk.agent.when_rung = Answer()
    talk = await desk.agent.rings(20)
    await talk.answered()
    await talk.hang_up()
    await desk.lines(4)
    await waiting.hang_up()
    await desk.agent.unregister()
    leaving = await desk.enters_the_queue()
    await desk.lines(5)
    await leaving.hang_up()
    theirs = await desk.lines(6)
    assert [line.split("|")[4] for line in theirs] == [
        "ENTERQUEUE",
        "RINGNOANSWER",
        "CONNECT",
        "COMPLETEAGENT",
        "ENTERQUEUE",
        "ABANDON",
    ]
    ours = await rewritten(desk, theirs)
    assert [without_time(line) for line in ours] == [without_time(line) for line in theirs]


async def test_a_talk_that_the_caller_ends_is_written_as_app_queue_writes_it(desk: Desk) -> None:
    """COMPLETECALLER."""
    desk.agent.when_rung = Answer()
    waiting = await desk.enters_the_queue()
    talk = await desk.agent.rings(20)
    await talk.answered()
    await desk.lines(2)
    await waiting.hang_up()
    theirs = await desk.lines(3)
    assert [line.split("|")[4] for line in theirs] == ["ENTERQUEUE", "CONNECT", "COMPLETECALLER"]
    ours = await rewritten(desk, theirs)
    assert [without_time(line) for line in ours] == [without_time(line) for line in theirs]


async def test_agents_who_come_and_go_are_written_as_app_queue_writes_them(desk: Desk) -> None:
    """By their names, with the reason of a pause."""
    for command in (
        "queue add member PJSIP/agent-9 to fallback penalty 0 as agent-9",
        "queue pause member PJSIP/agent-9 queue fallback reason lunch",
        "queue unpause member PJSIP/agent-9 queue fallback",
        "queue remove member PJSIP/agent-9 from fallback",
    ):
        await desk.pbx.cli(command)
    theirs = await desk.lines(4)
    assert [line.split("|")[4] for line in theirs] == ["ADDMEMBER", "PAUSE", "UNPAUSE", "REMOVEMEMBER"]
    assert {line.split("|")[3] for line in theirs} == {"agent-9"}
    ours = await rewritten(desk, theirs)
    assert [without_time(line) for line in ours] == [without_time(line) for line in theirs]


async def test_lines_wait_for_an_asterisk_that_is_restarted(desk: Desk) -> None:
    """In order, and once each."""
    async with our_log(desk.site) as log:
        log.note(Entered("c1", "cards", "09012345678", 1))
        await desk.lines(1)
        await desk.pbx.kill9()
        log.note(Abandoned("c1", "cards", 1, 1, 7))
        log.note(AgentPaused("cards", "alice", "lunch"))
        await desk.pbx.start()
        lines = await desk.lines(3)
    assert [line.partition("|")[2] for line in lines] == [
        "c1|cards|NONE|ENTERQUEUE||09012345678|1",
        "c1|cards|NONE|ABANDON|1|1|7",
        "NONE|cards|alice|PAUSE|lunch",
    ]
