"""What the telephony keeps of a call ends with the call, also where no last event ever comes."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime

from controller.asterisk.ari.client import AriClient
from controller.asterisk.languages import Languages
from controller.asterisk.outbound_call import Trunk
from controller.asterisk.telephony import AriTelephony
from controller.domain.agents import Agent, AgentState
from controller.domain.gate import CallingHours, Gate
from controller.domain.outcome import Outcome
from controller.domain.phone_number import NumberPlan
from controller.system_clock import SystemClock

AGENT = Agent("alice", "agent-1", frozenset({"sales"}), AgentState.RESERVED, datetime(2030, 1, 1, tzinfo=UTC))


async def test_a_leg_that_could_not_be_placed_leaves_no_task_behind() -> None:
    """With the PBX away one is tried again and again: each would keep a task and a mailbox for ever."""
    clock = SystemClock()
    client = AriClient(
        "http://127.0.0.1:1",
        "orikaeshi",
        "nobody",
        "nothing",
        on_event=lambda _event: None,
        on_connected=lambda: None,
        on_disconnected=lambda: None,
        clock=clock,
        rng=random.Random(1),  # noqa: S311 - spreads reconnects, guards nothing
    )
    telephony = AriTelephony(
        client,
        trunk=Trunk("carrier", "0312345678"),
        gate=Gate(NumberPlan(), CallingHours()),
        languages=Languages({"sales": "ja"}, {}),
        agent_endpoints=["agent-1"],
        clock=clock,
        new_id=lambda: "leg-1",
        spawn=lambda story: story.close(),
    )
    async with telephony.agent_leg(AGENT, for_call="c1", shown_number=None, ring_timeout_s=5) as leg:
        await asyncio.sleep(0)  # The reader of its events is waiting by now, as it would on a real network.
        assert await leg.dial() is Outcome.NOT_PLACED
    await asyncio.sleep(0)
    assert [
        task.get_name() for task in asyncio.all_tasks() if task.get_name().startswith("events of agent-leg-1")
    ] == []
    await client.close()
