"""What the telephony keeps of a call ends with the call, also where no last event ever comes."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.asterisk.ari.client import AriClient
from controller.asterisk.ari.events import ChannelDestroyed, StasisStart
from controller.asterisk.ari.models import ChannelData, DialplanPlace
from controller.asterisk.languages import Languages
from controller.asterisk.legs import DialRights
from controller.asterisk.names import endpoint_of
from controller.asterisk.survey import agent_menu_of, is_ours
from controller.asterisk.telephony import AriTelephony
from controller.asterisk.trunks import Trunk, Trunks
from controller.domain.agents import Agent, AgentState
from controller.domain.gate import CallingHours, Gate
from controller.domain.outcome import Outcome
from controller.domain.phone_number import NumberPlan
from controller.domain.promise import Attempt
from controller.system_clock import SystemClock

AGENT = Agent("alice", "agent-1", frozenset({"sales"}), AgentState.RESERVED, datetime(2030, 1, 1, tzinfo=UTC))
SINCE = datetime(2030, 1, 1, tzinfo=UTC)
ATTEMPT = Attempt("a1", "p1", "+819012345678", "alice", SINCE)
OUTSIDE = "0120123456"


def a_client() -> AriClient:
    """Return a client of a PBX that is not there."""
    return AriClient(
        "http://127.0.0.1:1",
        "orikaeshi",
        "nobody",
        "nothing",
        on_event=lambda _event: None,
        on_connected=lambda: None,
        on_disconnected=lambda: None,
        clock=SystemClock(),
        rng=random.Random(1),  # noqa: S311 - spreads reconnects, guards nothing
    )


async def nobody_is_blocked(number: str) -> bool:
    """Be a do-not-call list on which nobody stands."""
    del number
    return False


def a_telephony(client: AriClient) -> AriTelephony:
    """Return a telephony on it."""
    return AriTelephony(
        client,
        trunks=Trunks([Trunk("carrier", "0312345678")], SystemClock()),
        rights=DialRights(lambda: True, nobody_is_blocked),
        gate=Gate(NumberPlan(), CallingHours(time(0), time(0)), external=frozenset({OUTSIDE})),
        languages=Languages({"sales": "ja"}, {}),
        agent_endpoints=["agent-1"],
        clock=SystemClock(),
        new_id=lambda: "leg-1",
        spawn=lambda story: story.close(),
    )


@pytest.mark.parametrize("to", ["agent", "outside", "customer"])
async def test_a_leg_that_could_not_be_placed_leaves_no_task_behind(to: str) -> None:
    """With the PBX away one is tried again and again: each would keep a task and a mailbox for ever."""
    client = a_client()
    telephony = a_telephony(client)
    contexts = {
        "agent": telephony.agent_leg(AGENT, for_call="c1", shown_number=None, ring_timeout_s=5),
        "outside": telephony.external_leg(OUTSIDE, for_call="c1", shown_number=None, ring_timeout_s=5),
        "customer": telephony.customer_leg(ATTEMPT, queue="sales", language="ja", since=SINCE, ring_timeout_s=5),
    }
    async with contexts[to] as leg:
        await asyncio.sleep(0)  # The reader of its events is waiting by now, as it would on a real network.
        assert await leg.dial() is Outcome.NOT_PLACED
    await asyncio.sleep(0)
    assert [task.get_name() for task in asyncio.all_tasks() if task.get_name().startswith("events of ")] == []
    await client.close()


async def test_an_agent_who_dials_a_code_is_no_caller() -> None:
    """The second argument of the dialplan is told with the call, and the phone's own name is known."""
    client = a_client()
    telephony = a_telephony(client)
    told: list[tuple[str, str | None]] = []
    telephony.on_agent_menu = lambda call, code: told.append((code, call.facts.endpoint))
    telephony.on_new_call = lambda call: told.append(("a caller", call.id))
    channel = ChannelData("c-1", name="PJSIP/agent-1-00000012", state="Up")
    telephony.on_event(StasisStart(channel=channel, args=("agent-menu", "13")))
    assert told == [("13", "agent-1")]
    telephony.on_event(ChannelDestroyed(channel=channel))
    await client.close()


def in_stasis(app_data: str) -> ChannelData:
    """Return a channel in an application with these arguments."""
    return ChannelData("c-1", dialplan=DialplanPlace(app_name="Stasis", app_data=app_data))


@pytest.mark.parametrize(
    ("app_data", "code"),
    [
        ("orikaeshi,agent-menu,11", "11"),
        ("orikaeshi,agent-menu,13,more", "13"),
        ("orikaeshi,agent-menu", None),
        ("orikaeshi,inbound,agent-menu", None),
        ("orikaeshi", None),
        ("", None),
    ],
)
def test_only_an_agent_who_dialled_a_code_waits_for_its_menu(app_data: str, code: str | None) -> None:
    """A caller may dial a number that reads like one."""
    assert agent_menu_of(in_stasis(app_data)) == code
    assert agent_menu_of(ChannelData("c-1", dialplan=DialplanPlace(app_name="Playback", app_data=app_data))) is None


@given(st.from_regex(r"[A-Za-z0-9_.-]+", fullmatch=True), st.from_regex(r"[0-9a-f]{8}", fullmatch=True))
def test_the_endpoint_is_what_stands_between_the_technology_and_the_serial(endpoint: str, serial: str) -> None:
    """Endpoints have hyphens in their names too."""
    assert endpoint_of(f"PJSIP/{endpoint}-{serial}") == endpoint


@pytest.mark.parametrize("name", ["", "PJSIP", "PJSIP/", "PJSIP/-00000001", "agent-1-00000001"])
def test_a_channel_without_an_endpoint_has_none(name: str) -> None:
    """Asterisk leaves the name out of some events."""
    assert endpoint_of(name) is None


@pytest.mark.parametrize(
    ("marks", "app_name", "ours"),
    [
        ({"ORI_ROLE": "caller"}, "Stasis", True),
        ({"ORI_ROLE": "caller"}, "MusicOnHold", False),
        ({"ORI_ROLE": "agent", "ORI_AGENT": "alice"}, "", True),
        ({"ORI_ROLE": "agent", "ORI_AGENT": ""}, "Stasis", False),
        ({"ORI_ROLE": "customer"}, "", True),
        ({"ORI_ROLE": "external"}, "", True),
        ({"ORI_ROLE": ""}, "Stasis", False),
        ({}, "Stasis", False),
    ],
)
def test_only_legs_of_ours_and_callers_in_our_hands_are_taken_up(
    marks: dict[str, str],
    app_name: str,
    ours: bool,
) -> None:
    """A caller whom the dialplan keeps comes to us by its next try; an agent in a menu is told of as such."""
    assert is_ours(ChannelData("c-1", channelvars=marks, dialplan=DialplanPlace(app_name=app_name))) is ours
