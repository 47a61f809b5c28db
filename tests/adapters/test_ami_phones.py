"""The board of phones, fed by hand: lists against events, contacts that come and go, trunks."""

from __future__ import annotations

import pytest

from controller.asterisk.ami_phones import PhoneBoard, device_state
from controller.ports.phones import DeviceState, PhoneStatus

DEVICE = {"Device": "PJSIP/agent-1", "State": "NOT_INUSE"}
CONTACT = {"Endpoint": "agent-1", "Uri": "sip:a", "Status": "Reachable"}
ENDPOINT = {"ObjectName": "agent-1", "DeviceState": "Not in use", "Contacts": "agent-1/sip:a,"}
IDLE = PhoneStatus("agent-1", registered=True, device=DeviceState.NOT_INUSE)


def board(*endpoints: str) -> tuple[PhoneBoard, list[PhoneStatus]]:
    """Return a board and what it has told."""
    told: list[PhoneStatus] = []
    return PhoneBoard(endpoints or ("agent-1",), told.append), told


def contact(status: str, uri: str) -> dict[str, str]:
    """Return a ContactStatus event of agent-1."""
    return {"Event": "ContactStatus", "EndpointName": "agent-1", "URI": uri, "ContactStatus": status}


def device(state: str, name: str = "PJSIP/agent-1") -> dict[str, str]:
    """Return a DeviceStateChange event."""
    return {"Event": "DeviceStateChange", "Device": name, "State": state}


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("NOT_INUSE", DeviceState.NOT_INUSE),
        ("Not in use", DeviceState.NOT_INUSE),
        ("In use", DeviceState.INUSE),
        ("Ring+Inuse", DeviceState.RINGINUSE),
        ("On Hold", DeviceState.ONHOLD),
        ("Unavailable", DeviceState.UNAVAILABLE),
        ("Busy", DeviceState.BUSY),
        ("", DeviceState.UNKNOWN),
        ("a state of a later version", DeviceState.UNKNOWN),
    ],
)
def test_both_spellings_of_a_state_are_read(text: str, state: DeviceState) -> None:
    """Events write NOT_INUSE, PJSIPShowEndpoints "Not in use"; what is new is UNKNOWN."""
    assert device_state(text) is state


@pytest.mark.parametrize("state", [state for state in DeviceState if state is not DeviceState.NOT_INUSE])
def test_only_an_idle_phone_with_a_contact_can_ring(state: DeviceState) -> None:
    """Both halves are needed: Asterisk sends them one after the other."""
    assert IDLE.can_ring
    assert not PhoneStatus("agent-1", registered=True, device=state).can_ring
    assert not PhoneStatus("agent-1", registered=False, device=DeviceState.NOT_INUSE).can_ring


def test_an_event_during_the_listing_wins_over_the_list() -> None:
    """The list may have been drawn up before it; what the list knew first is followed by its own event."""
    phones, told = board()
    phones.begin_listing()
    phones.hear(device("INUSE"))
    phones.hear(contact("Unreachable", "sip:a"))
    phones.take_lists([DEVICE], [CONTACT], [ENDPOINT])
    assert phones.statuses()["agent-1"] == PhoneStatus("agent-1", registered=False, device=DeviceState.INUSE)
    phones.begin_listing()
    phones.take_lists([DEVICE], [CONTACT], [ENDPOINT])
    assert told[-1] == IDLE


def test_what_a_new_list_no_longer_has_is_gone() -> None:
    """A phone that left while the line was down is not kept."""
    phones, _ = board()
    phones.take_lists([DEVICE], [CONTACT], [ENDPOINT])
    phones.take_lists([DEVICE | {"State": "UNAVAILABLE"}], [], [ENDPOINT | {"Contacts": ""}])
    assert phones.statuses()["agent-1"] == PhoneStatus("agent-1", registered=False, device=DeviceState.UNAVAILABLE)


def test_a_phone_is_registered_while_any_of_its_contacts_answers() -> None:
    """Two devices on one account: one that goes leaves the other."""
    phones, told = board()
    for event in (
        contact("NonQualified", "sip:a"),
        contact("Reachable", "sip:b"),
        contact("Removed", "sip:a"),
        contact("Updated", "sip:b"),
        contact("Unknown", "sip:c"),
    ):
        phones.hear(event)
    assert phones.statuses()["agent-1"].registered
    phones.hear(contact("Unreachable", "sip:b"))
    assert [status.registered for status in told] == [True, False]


@pytest.mark.parametrize(("device", "registered"), [("NOT_INUSE", True), ("UNAVAILABLE", False)])
def test_a_phone_whose_old_contact_is_removed_after_the_new_one_came_is_there_when_it_renews(
    device: str, registered: bool
) -> None:
    """The same address twice: Asterisk may tell of the removal last. What it says of the device decides."""
    phones, _ = board()
    phones.hear(contact("Reachable", "sip:a"))
    phones.hear(contact("Removed", "sip:a"))
    phones.hear({"Event": "DeviceStateChange", "Device": "PJSIP/agent-1", "State": device})
    assert not phones.statuses()["agent-1"].registered
    phones.hear(contact("Updated", "sip:a"))
    assert phones.statuses()["agent-1"].registered is registered


def test_a_trunk_whose_contact_stands_in_the_configuration_goes_by_its_device_state() -> None:
    """PJSIPShowContacts leaves such contacts out; their events come like any other."""
    phones, _ = board("carrier")
    trunk = {"ObjectName": "carrier", "Contacts": "carrier/sip:127.0.0.1:5080,", "DeviceState": "Unavailable"}
    phones.take_lists([], [], [trunk])
    assert not phones.statuses()["carrier"].registered
    phones.take_lists([], [], [trunk | {"DeviceState": "Not in use"}])
    assert phones.statuses()["carrier"].can_ring
    phones.hear(contact("Unreachable", "sip:127.0.0.1:5080") | {"EndpointName": "carrier"})
    assert not phones.statuses()["carrier"].registered


def test_an_endpoint_that_asterisk_does_not_have_is_invalid_and_named() -> None:
    """A typing mistake in the settings shows."""
    phones, told = board("agent-1", "agnet-2")
    assert phones.take_lists([DEVICE], [CONTACT], [ENDPOINT]) == ["agnet-2"]
    assert told[-1] == PhoneStatus("agnet-2", registered=False, device=DeviceState.INVALID)


def test_news_of_others_and_news_without_change_are_not_told() -> None:
    """Other endpoints, other technologies, other events, and the same again."""
    phones, told = board()
    phones.take_lists([DEVICE], [CONTACT], [ENDPOINT])
    for event in (
        device("INUSE", "PJSIP/agent-10"),
        device("INUSE", "SIP/agent-1"),
        device("INUSE", "agent-1"),
        device("NOT_INUSE"),
        contact("Reachable", "sip:a"),
        contact("Removed", ""),
        {"Event": "PeerStatus", "Device": "PJSIP/agent-1", "State": "INUSE"},
        {},
    ):
        phones.hear(event)
    assert told == [IDLE]


def test_a_hundred_thousand_invented_contacts_take_no_more_memory_than_a_few() -> None:
    """Every sender of a REGISTER may choose a URI: what is kept has a cap."""
    phones, told = board()
    for number in range(100_000):
        phones.hear(contact("Reachable", f"sip:{number}"))
    for number in range(64):
        phones.hear(contact("Removed", f"sip:{number}"))
    assert [status.registered for status in told] == [True, False]
