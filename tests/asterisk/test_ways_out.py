"""The ways out of the PBX and what keeps calls back: trunks, pace, caps, and a run that calls nobody."""

from __future__ import annotations

import asyncio
import re
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from lab.controller_process import ControllerProcess
from lab.far_end import Does, Numbers, Refusal
from lab.phone import Answer, PhoneShelf
from lab.stack import running_stack
from tests.asterisk.conftest import QUICK
from tests.asterisk.floor import AGENT_HZ, Floor
from tests.asterisk.seen_from_outside import (
    LAST_OUTCOME,
    LEAVES_A_NUMBER,
    STATE,
    STEP,
    explained,
    let_count,
    wants_a_call,
    watched,
    way_in,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from controller.provision import Site
    from lab.controller_process import LogLine
    from tests.asterisk.seen_from_outside import Invite, Network, Story

AGENTS = 6
LEAVES_IT_WITH_SALES, LEAVES_IT_AHEAD = "0312345602", "0312345603"
WAYS_IN = {"support": LEAVES_A_NUMBER, "sales": LEAVES_IT_WITH_SALES, "ahead": LEAVES_IT_AHEAD}
"""What is dialled to leave a number with each queue; the customers of the last are dialled before an agent."""
MAIN, BACKUP, SALES = "0312345678", "0312345679", "0312345650"
"""What is shown by the first trunk, by the second, and by the queue "sales" whichever way."""
DEAR = Numbers().new(Does.NOT_NEEDED, 1)[:5]
"""A call to a number that begins so costs more than half of what may be spent, once it is answered."""
CLOSE_S = 0.25
"""Between our clock's word that a call leaves and the network's that it has come."""
NUMBERS = Numbers(first=1)

TRUNKS = {"carrier": MAIN, "backup": BACKUP}
"""Endpoints, and what each shows."""

MORE_SETTINGS = f"""
[dialer.caps]
per_number = 2
max_cost = 1.5

[[dialer.tariffs]]
prefix = "+81{DEAR[1:]}"
per_call = 1

[[queues]]
name = "sales"
title_ja = "営業"
title_en = "Sales"
language = "en"
caller_id = "{SALES}"
wrap_up_s = 0.5

[[queues]]
name = "ahead"
title_ja = "先"
title_en = "Ahead"
language = "en"
wrap_up_s = 0.5
max_attempts = 3
promise_lifetime_h = 72
retry_gap_s = {{ busy = 1 }}
callbacks = {{ mode = "customer_first" }}

"""


PATIENT = {**QUICK, ("[queues]", "max_attempts"): "3", ("[queues]", "agent_ring_timeout_s"): "20"}


def furnish(site: Site) -> None:
    """Give the PBX a second trunk to the same telephone network, and let that count."""
    let_count(site)
    (site.pbx_site / "pjsip-local.conf").write_text(
        "[backup](trunk)\naors = backup\noutbound_auth = carrier-out\nmedia_address = 127.0.0.1\n"
        "bind_rtp_to_media_address = yes\n"
        f"[backup](trunk-aor)\ncontact = sip:{site.host}:{site.ports.carrier_sip}\n",
        encoding="utf-8",
    )


def settings(text: str) -> str:
    """Return the settings with two trunks in the place of the one, caps, a second queue and ways in."""
    text = re.sub(r"^(trunk|number_format|calls_per_s) = .*\n", "", text, flags=re.MULTILINE)
    text = text.replace('queues = ["support"]', 'queues = ["support", "sales", "ahead"]')
    trunks = (
        f'[[trunks]]\nname = "{endpoint}"\nendpoint = "{endpoint}"\ncalls_per_s = 1\ncaller_id = "{shown}"\n'
        for endpoint, shown in TRUNKS.items()
    )
    ways_in = (way_in(number, queue) for queue, number in WAYS_IN.items())
    return "\n".join((text, MORE_SETTINGS, *trunks, *ways_in))


@pytest.fixture(scope="module")
async def everything(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Floor, Network]]:
    """Start everything once for the tests of this file, and count the calls at the telephone network."""
    home = tmp_path_factory.mktemp("site")
    async with (
        running_stack(home, changes=PATIENT, edit=settings, furnish=furnish, agents=AGENTS) as stack,
        watched(stack.site) as network,
        PhoneShelf() as shelf,
    ):
        yield await Floor.furnished(stack, shelf), network


@pytest.fixture(scope="module")
def running_floor(everything: tuple[Floor, Network]) -> Floor:
    """Give the tests the floor of this site."""
    return everything[0]


@pytest.fixture
def network(everything: tuple[Floor, Network]) -> Network:
    """Give a test the count of the calls."""
    return everything[1]


async def test_a_call_that_the_first_trunk_cannot_take_leaves_by_the_second_at_once(
    floor: Floor, network: Network
) -> None:
    """503 by the one; by the other the customer answers. It used up no try, and both are told of."""
    async with asyncio.timeout(30):  # A PBX that has just started takes a few seconds to know its trunks.
        while (await floor.stack.pbx.cli("pjsip show contacts")).count(" Avail ") < len(TRUNKS):
            pass
    number = NUMBERS.new(Does.REFUSE, Refusal.CONGESTED, t=1)
    promise_id = await wants_a_call(floor, number, LEAVES_IT_AHEAD)
    agent = await floor.signed_in()
    await agent.rings()
    story = await explained(floor, promise_id, STATE, "fulfilled")
    assert [invite.shown for invite in await network.to(number)] == [MAIN, BACKUP]
    assert story.tells("attempt 1 over carrier: congestion", "attempt 2 over backup: talked")
    (congested,) = [line for line in story.lines if line.startswith("attempt 1 over")]
    assert "SIP 503" in congested
    assert congested.endswith("uses up no attempt; next try at once: there is another trunk")
    assert story.promise["attempts_used"] == 1


async def test_the_customers_of_a_queue_see_its_own_number(floor: Floor, network: Network) -> None:
    """By whichever trunk the call leaves; those of other queues see the trunk's."""
    of_sales, of_support = NUMBERS.new(Does.NOT_NEEDED), NUMBERS.new(Does.NOT_NEEDED)
    await asyncio.gather(wants_a_call(floor, of_sales, LEAVES_IT_WITH_SALES), wants_a_call(floor, of_support))
    await floor.signed_in(0)
    await floor.signed_in(1)
    await network.reached(of_sales, of_support)
    assert [invite.shown for invite in await network.to(of_sales)] == [SALES]
    assert [invite.shown in {MAIN, BACKUP} for invite in await network.to(of_support)] == [True]


async def test_a_number_that_was_called_as_often_as_may_be_is_put_off(floor: Floor, network: Network) -> None:
    """Busy twice, and no third call within 24 hours of the first; no try is lost by that."""
    number = NUMBERS.new(Does.REFUSE, Refusal.BUSY)
    promise_id = await wants_a_call(floor, number, LEAVES_IT_AHEAD)
    await floor.signed_in()
    story = await explained(floor, promise_id, STEP, "Postponed")
    first, _ = await network.to(number)
    assert put_off_by_s(story, first) < CLOSE_S
    assert story.tells("attempt 1", "attempt 1 over", "attempt 2", "attempt 2 over", "postponed until")
    assert story.lines[-1].endswith("| a cap on calls or cost was reached; uses no attempt")
    assert story.promise["attempts_used"] == 2
    assert any(line.startswith("left: 1 of 3 attempts") for line in story.comes_next)


async def test_what_would_cost_more_than_may_be_spent_is_put_off(floor: Floor, network: Network) -> None:
    """The first of two dear calls leaves; cheap ones go on."""
    dear, dearer, cheap = (NUMBERS.new(Does.NOT_NEEDED, answers_after_s) for answers_after_s in (1, 1, 0))
    first = await wants_a_call(floor, dear, LEAVES_IT_AHEAD)
    second = await wants_a_call(floor, dearer, LEAVES_IT_AHEAD)
    third = await wants_a_call(floor, cheap, LEAVES_IT_AHEAD)
    await floor.signed_in()
    story = await explained(floor, second, STEP, "Postponed")
    (paid,) = await network.reached(dear)
    assert put_off_by_s(story, paid) < CLOSE_S
    await explained(floor, first, STATE, "cancelled")
    await explained(floor, third, STATE, "cancelled")
    assert await network.to(dearer) == []


async def answered_at_once(floor: Floor, agents: int) -> None:
    """Have so many agents rung for a callback each, and answer when the last one's phone rings."""
    legs = []
    for index in range(agents):
        agent = await floor.signed_in(index, answers=False)
        legs.append(await agent.rings())
    for leg in legs:
        await leg.answer()
    for leg in legs:
        await leg.answered()
        await leg.press("0")  # cuts short what they hear of the customer


async def test_six_calls_that_are_due_at_once_leave_a_second_apart(floor: Floor, network: Network) -> None:
    """Six agents have answered by then: only the pace of the trunk keeps their customers waiting."""
    numbers = [NUMBERS.new(Does.REFUSE, Refusal.REJECTED) for _ in range(AGENTS)]
    await asyncio.gather(*(wants_a_call(floor, number) for number in numbers))
    await answered_at_once(floor, AGENTS)
    invites = await network.reached(*numbers, timeout_s=60)
    assert len(invites) == AGENTS
    for before, after in pairwise(invites):
        assert after.at_s - before.at_s > 1 - CLOSE_S


# ---------------------------------------------------------------- started anew


@asynccontextmanager
async def run_dry(floor: Floor) -> AsyncIterator[ControllerProcess]:
    """Run the controller dry in the place of the other."""
    await floor.stack.controller.stop()
    dry = DryRun(floor.stack.site, floor.stack.settings)
    await dry.start()
    try:
        yield dry
    finally:
        await dry.stop()
        await floor.stack.controller.start()


class DryRun(ControllerProcess):
    """`python -m controller run --dry-run`."""

    def _command(self) -> list[str]:
        return [*super()._command(), "--dry-run"]


async def originated(controller: ControllerProcess, promise_id: str) -> LogLine:
    """Wait for the line of the log that tells of a promise's call to its customer."""
    return await controller.logged("originate", where=lambda line: line["promise_id"] == promise_id)


async def test_a_dry_run_does_everything_but_call(floor: Floor, network: Network) -> None:
    """The log has the line of each call; no phone rings, no try is used, and the promises wait for a real call."""
    numbers = [NUMBERS.new(Does.REFUSE, Refusal.REJECTED) for _ in range(2)]
    promises = [await wants_a_call(floor, number) for number in numbers]
    agents = floor.agents[:2]
    rung = [len(agent.calls) for agent in agents]
    async with run_dry(floor) as dry:
        for agent in agents:
            agent.when_rung = Answer(tone_hz=AGENT_HZ)
            await agent.register()
        for promise_id in promises:
            assert (await originated(dry, promise_id))["dry_run"] is True
            story = await explained(floor, promise_id, LAST_OUTCOME, "dry_run")
            assert (story.promise["state"], story.promise["attempts_used"], story.promise["dials"]) == ("waiting", 0, 0)
        assert [await network.to(number) for number in numbers] == [[], []]
        assert [len(agent.calls) for agent in agents] == rung


async def test_after_a_start_calls_begin_at_a_tenth_of_the_pace(floor: Floor, network: Network) -> None:
    """And reach all of it in a minute: two agents have answered, and the second customer is called seconds later."""
    numbers = [NUMBERS.new(Does.REFUSE, Refusal.REJECTED) for _ in range(2)]
    await asyncio.gather(*(wants_a_call(floor, number) for number in numbers))
    controller = floor.stack.controller
    await controller.stop()
    seen = len(controller.lines)
    await controller.start()
    connected = await controller.logged("ari_connected", since=seen)
    await answered_at_once(floor, 2)
    first, second = await network.reached(*numbers, timeout_s=60)
    after_s = first.at_s - datetime.fromisoformat(connected["at"]).timestamp()
    calls_per_s = 0.1 + 0.9 * min(1.0, after_s / 60)
    assert second.at_s - first.at_s > 1 / calls_per_s - CLOSE_S


def put_off_by_s(story: Story, oldest: Invite) -> float:
    """Return how far from 24 hours after a call the promise is due."""
    return abs(story.not_before.timestamp() - oldest.at_s - timedelta(hours=24).total_seconds())
