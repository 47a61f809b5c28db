"""Trunks as AMI tells of them: reachable or not, registered or not; and what a forged event can do, which is little."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.asterisk.ami import AmiWatcher
from controller.asterisk.ami_account import AmiAccount
from controller.asterisk.ami_phones import PhoneBoard
from controller.asterisk.ami_trunks import NOT_REGISTERED, TrunkWatch
from controller.ports.phones import DeviceState, PhoneStatus
from controller.system_clock import SystemClock
from tests.adapters.ami_server import SECRET, USER, AmiServer, ami_server, block, contact_event, device_event
from tests.adapters.ami_watching import IDLE, LISTING, SETTING_UP, Watch, watching

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

TRUNKS = ("carrier", "backup")
REGISTRATIONS = "PJSIPShowRegistrationsOutbound"
URIS = {"ClientUri": "sip:ours@carrier.example", "ServerUri": "sip:carrier.example"}


@pytest.fixture
async def server() -> AsyncIterator[AmiServer]:
    """Run an AMI server that knows a phone and two trunks, one of them out of reach."""
    async with ami_server() as running:
        running.phone("agent-1", "NOT_INUSE", "Reachable")
        running.phone("carrier", "NOT_INUSE", "Reachable", "sip:carrier.example")
        running.phone("backup", "UNAVAILABLE", "Unreachable", "sip:backup.example")
        running.odd_replies[REGISTRATIONS] = registrations()
        yield running


def registrations(*items: dict[str, str]) -> bytes:
    """Return the list of outbound registrations, as Asterisk sends it."""
    start = block(Response="Success", ActionID="%", EventList="start", Message="Following are Events")
    details = [block(Event="OutboundRegistrationDetail", ActionID="%", **item) for item in items]
    end = block(Event="OutboundRegistrationDetailComplete", ActionID="%", EventList="Complete", ListItems="1")
    return b"".join((start, *details, end))


def registry_event(status: str, **changes: str) -> bytes:
    """Return a Registry event."""
    uris = {"Username": URIS["ClientUri"], "Domain": URIS["ServerUri"]} | changes
    return block(Event="Registry", ChannelType="pjsip", **uris, Status=status)


async def told(watch: Watch, count: int) -> list[tuple[str, bool]]:
    """Wait until so much was told of trunks."""
    async with asyncio.timeout(10):
        while len(watch.trunks) < count:
            await watch.trunk_news.get()
    return watch.trunks


async def test_a_trunk_that_does_not_answer_is_told_from_the_list_and_one_that_falls_silent_by_its_event(
    server: AmiServer,
) -> None:
    """Agents' phones are told apart from them: nobody is told of a trunk as if it were a phone."""
    async with watching(server.port, trunks=TRUNKS) as watch:
        assert await told(watch, 1) == [("backup", False)]
        session = server.sessions[0]
        assert session.names == [*SETTING_UP, REGISTRATIONS, *LISTING]
        session.send(contact_event("carrier", "Unreachable", "sip:carrier.example"))
        session.send(contact_event("carrier", "NonQualified", "sip:carrier.example"))
        assert (await told(watch, 3))[1:] == [("carrier", False), ("carrier", True)]
        assert watch.heard.statuses == [IDLE]
        assert watch.watcher.statuses()["backup"].device is DeviceState.UNAVAILABLE


async def test_while_nothing_is_known_every_trunk_can_be_used_and_then_it_is_told_again(server: AmiServer) -> None:
    """AMI may be gone for good: the calls themselves then tell which trunk works."""
    async with watching(server.port, trunks=TRUNKS) as watch:
        await told(watch, 1)
        server.sessions[0].close()
        assert (await told(watch, 2))[1:] == [("backup", True)]
        await watch.failure()
        watch.clock.let_go()
        assert (await told(watch, 3))[2:] == [("backup", False)]


@pytest.mark.parametrize("named", [{"ObjectName": "carrier"}, {"ObjectName": "reg-1", "Endpoint": "carrier"}])
async def test_a_trunk_that_registers_can_be_used_while_it_is_registered(
    server: AmiServer, named: dict[str, str]
) -> None:
    """Events name a registration by its addresses alone; which trunk it is for comes from the list."""
    item = {**named, **URIS, "Status": "Rejected"}
    server.odd_replies[REGISTRATIONS] = registrations(item, {"ObjectName": "other", "Status": "Rejected"})
    async with watching(server.port, trunks=TRUNKS) as watch:
        assert sorted(await told(watch, 2)) == [("backup", False), ("carrier", False)]
        session = server.sessions[0]
        session.send(registry_event("Registered", Username="sip:somebody@else.example"))
        session.send(registry_event("Registered"))
        session.send(registry_event("Rejected"))
        assert (await told(watch, 4))[2:] == [("carrier", True), ("carrier", False)]


@pytest.mark.parametrize(
    "reason", ["Invalid/unknown command: PJSIPShowRegistrationsOutbound. Use Action: ListCommands"]
)
async def test_a_pbx_without_the_module_for_registrations_registers_nothing(server: AmiServer, reason: str) -> None:
    """It is no fault: many trunks know each other by their address."""
    server.odd_replies[REGISTRATIONS] = block(Response="Error", ActionID="%", Message=reason)
    async with watching(server.port, trunks=TRUNKS) as watch:
        await watch.heard.until(IDLE)
        assert not watch.watcher.stale


async def test_a_listener_that_fails_costs_its_own_news_alone(server: AmiServer) -> None:
    """The connection stays, and so do the phones."""
    watch = Watch(server.port, trunks=TRUNKS)

    def broken(endpoint: str, healthy: bool) -> None:
        raise LookupError(f"a bug of the listener: {endpoint} {healthy}")

    watch.watcher.on_trunk = broken
    running = asyncio.create_task(watch.watcher.run())
    await watch.heard.until(IDLE)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert len(server.sessions) == 1


# -- lies

NASTY = st.sampled_from(
    [
        *("carrier", "backup", "agent-1", "PJSIP/carrier", "PJSIP/agent-1", "", "nobody", "carrier\r\nEvent: Shutdown"),
        *("Reachable", "Unreachable", "NonQualified", "Removed", "Updated", "Registered", "Rejected", "IDLE", "INUSE"),
        *(
            "sip:carrier.example",
            "sip:ours@carrier.example",
            "promise-1",
            "'; drop table promises; --",
            "\x00",
            "\ud800",
        ),
    ]
) | st.text(max_size=20)
NAMES = ("Event", "EndpointName", "URI", "Uri", "ContactStatus", "Device", "State", "Username", "Domain", "Status")
FORGED = st.dictionaries(st.sampled_from(NAMES), NASTY | st.lists(NASTY, max_size=2)).map(dict[str, Any])
KINDS = st.sampled_from(["DeviceStateChange", "ContactStatus", "Registry", "Originate", "Hangup", "VarSet"])


@given(st.lists(st.tuples(KINDS, FORGED), max_size=30), st.lists(FORGED, max_size=5))
def test_a_forged_event_is_a_status_of_something_that_is_watched_or_nothing(
    events: list[tuple[str, dict[str, Any]]], items: list[dict[str, Any]]
) -> None:
    """Names with line breaks, endpoints that nobody has, contacts that lie: out comes a status, typed, or nothing."""
    said: list[object] = []
    trunks = TrunkWatch(TRUNKS, lambda endpoint, healthy: said.append((endpoint, healthy)))

    def phone(status: PhoneStatus) -> None:
        said.append(status)
        trunks.phone_changed(status)

    board = PhoneBoard([*TRUNKS, "agent-1"], phone)
    trunks.take_registrations([{"ObjectName": "carrier", **URIS, "Status": "Registered"}, *items])
    for kind, fields in events:
        event = {**fields, "Event": kind}
        board.hear(event)
        trunks.hear(event)
    for word in said:
        if isinstance(word, PhoneStatus):
            assert word.endpoint in {*TRUNKS, "agent-1"}
            assert type(word.registered) is bool
            assert type(word.device) is DeviceState
        else:
            assert isinstance(word, tuple)
            assert word[0] in TRUNKS
            assert type(word[1]) is bool
    assert trunks.endpoints.keys() == set(TRUNKS)


async def test_the_watcher_tells_nothing_of_calls_and_promises(server: AmiServer) -> None:
    """Whoever can write into the AMI stream reaches phones' and trunks' statuses, and the news of the PBX: no more."""
    async with watching(server.port, trunks=TRUNKS) as watch:
        await told(watch, 1)
        session = server.sessions[0]
        for kind in ("Hangup", "OriginateResponse", "DialEnd", "VarSet", "UserEvent", "QueueMemberStatus"):
            session.send(block(Event=kind, Channel="PJSIP/carrier-1", Uniqueid="customer-a1", Variable="ORI_ATTEMPT"))
        session.send(device_event("nobody", "INUSE") + contact_event("nobody", "Unreachable"))
        session.send(block(Event="ContactStatus", EndpointName="carrier", ContactStatus="Unreachable"))
        session.send(contact_event("carrier", "Unreachable", "sip:carrier.example"))
        assert (await told(watch, 2))[1:] == [("carrier", False)]
        assert watch.heard.statuses == [IDLE]
    listeners = {name for name in vars(AmiWatcher(account(), endpoints=[], clock=SystemClock())) if name[:3] == "on_"}
    assert listeners == {"on_trunk", "on_known"}


def account() -> AmiAccount:
    """Return an account that is not used."""
    return AmiAccount("127.0.0.1", 1, USER, SECRET)


@pytest.mark.parametrize("word", sorted(NOT_REGISTERED))
def test_each_word_for_not_registered_takes_a_trunk_out(word: str) -> None:
    """And any other, of a later Asterisk perhaps, does not."""
    said: list[bool] = []
    watch = TrunkWatch(["carrier"], lambda _, healthy: said.append(healthy))
    watch.take_registrations([{"ObjectName": "carrier", **URIS, "Status": "Registered"}])
    for status in (word, "Refreshing", word, "Registered"):
        watch.hear({"Username": URIS["ClientUri"], "Domain": URIS["ServerUri"], "Status": status})
    assert said == [False, True, False, True]
