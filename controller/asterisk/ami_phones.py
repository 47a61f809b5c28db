"""From AMI's events and lists to the status of each watched endpoint. No I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.asterisk.ami_wire import header
from controller.ports.phones import DeviceState, PhoneStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from controller.asterisk.ami_wire import Headers

REACHABLE = frozenset({"Reachable", "NonQualified", "Unqualified"})
"""A contact that is not qualified counts: nothing can be known against it (res_pjsip/pjsip_options.c, status_map)."""
_OUT_OF_REACH = frozenset({DeviceState.UNAVAILABLE, DeviceState.INVALID, DeviceState.UNKNOWN})
_MOST_CONTACTS = 64
_DEVICE_PREFIX = "PJSIP/"
_SPOKEN_STATES = {
    "not in use": DeviceState.NOT_INUSE,
    "in use": DeviceState.INUSE,
    "ring+inuse": DeviceState.RINGINUSE,
    "on hold": DeviceState.ONHOLD,
}
"""EndpointList names states for people (main/devicestate.c, devstatestring); the others differ in case alone."""


def device_state(text: str) -> DeviceState:
    """Read a state in either of Asterisk's two spellings; UNKNOWN for anything else."""
    spoken = _SPOKEN_STATES.get(text.lower())
    if spoken is not None:
        return spoken
    try:
        return DeviceState(text.upper())
    except ValueError:
        return DeviceState.UNKNOWN


class _Phone:
    """What is known of one endpoint."""

    def __init__(self, name: str) -> None:
        self.device = DeviceState.UNKNOWN
        self.contacts: set[str] = set()
        """URIs that are reachable."""
        self.told = PhoneStatus(name, registered=False, device=DeviceState.UNKNOWN)
        """The status as last told to subscribers."""


class PhoneBoard:
    """The statuses, kept from events as they come and, after each connect, from lists.

    Events and list items are not ordered among each other. An event that arrives while a list is being fetched
    wins over that list, because whatever the list knew that the event did not is followed by an event of its own.
    """

    def __init__(self, endpoints: Iterable[str], tell: Callable[[PhoneStatus], None]) -> None:
        self._phones = {name: _Phone(name) for name in endpoints}
        self._tell = tell
        self._listing = False
        self._news: set[tuple[str, str]] = set()
        """What events said during a listing: (endpoint, "") its device, (endpoint, URI) a contact."""

    def statuses(self) -> Mapping[str, PhoneStatus]:
        """Return a copy of all statuses by endpoint."""
        return {name: phone.told for name, phone in self._phones.items()}

    def hear(self, event: Headers) -> None:
        """Take a DeviceStateChange or ContactStatus event; any other, and any of a foreign endpoint, is passed over."""
        kind = header(event, "Event")
        if kind == "DeviceStateChange":
            name = header(event, "Device").removeprefix(_DEVICE_PREFIX)
            if name in self._phones and header(event, "Device").startswith(_DEVICE_PREFIX):
                self._note(name, "")
                self._phones[name].device = device_state(header(event, "State"))
                self._settle(name)
        elif kind == "ContactStatus":
            name, uri = header(event, "EndpointName"), header(event, "URI")
            if name in self._phones and uri:
                self._hear_contact(name, uri, header(event, "ContactStatus"))

    def _hear_contact(self, name: str, uri: str, status: str) -> None:
        contacts = self._phones[name].contacts
        # A registration that is renewed says nothing new about whether it answers. But it is there: of a phone that
        # let go of its contact and took the same one again, the removal may have come after the arrival.
        is_back = status == "Updated" and not contacts and self._phones[name].device not in _OUT_OF_REACH
        if status in REACHABLE or is_back:
            if len(contacts) >= _MOST_CONTACTS:
                return
            contacts.add(uri)
        elif status != "Updated":
            contacts.discard(uri)
        self._note(name, uri)
        self._settle(name)

    def _note(self, name: str, uri: str) -> None:
        if self._listing and len(self._news) < 2 * _MOST_CONTACTS * len(self._phones):
            self._news.add((name, uri))

    def begin_listing(self) -> None:
        """Call before the lists are asked for."""
        self._listing = True
        self._news.clear()

    def take_lists(
        self, devices: Iterable[Headers], contacts: Iterable[Headers], endpoints: Iterable[Headers]
    ) -> list[str]:
        """Take DeviceStateList, PJSIPShowContacts and PJSIPShowEndpoints whole; return endpoints Asterisk has not.

        PJSIPShowContacts leaves out contacts that stand in pjsip.conf (a trunk's): those are named by
        PJSIPShowEndpoints, without a status of their own, so the endpoint's device state speaks for them.
        """
        device_by_name = {
            header(item, "Device").removeprefix(_DEVICE_PREFIX): device_state(header(item, "State"))
            for item in devices
            if header(item, "Device").startswith(_DEVICE_PREFIX)
        }
        status_by_contact = {
            (header(item, "Endpoint"), header(item, "Uri")): header(item, "Status") for item in contacts
        }
        endpoint_by_name = {header(item, "ObjectName"): item for item in endpoints}
        for name, phone in self._phones.items():
            item = endpoint_by_name.get(name)
            if item is None:
                device, reachable = DeviceState.INVALID, set[str]()
            else:
                device = device_by_name.get(name) or device_state(header(item, "DeviceState"))
                registered = {uri for (owner, uri) in status_by_contact if owner == name}
                reachable = {uri for uri in registered if status_by_contact[name, uri] in REACHABLE}
                if device not in _OUT_OF_REACH:
                    reachable |= _named_contacts(header(item, "Contacts")) - registered
            if (name, "") not in self._news:
                phone.device = device
            heard = {uri for (owner, uri) in self._news if owner == name}
            phone.contacts = (phone.contacts & heard) | (reachable - heard)
            self._settle(name)
        self._listing = False
        return [name for name in self._phones if name not in endpoint_by_name]

    def _settle(self, name: str) -> None:
        phone = self._phones[name]
        status = PhoneStatus(name, registered=bool(phone.contacts), device=phone.device)
        if status != phone.told:
            phone.told = status
            self._tell(status)


def _named_contacts(text: str) -> set[str]:
    """Read PJSIPShowEndpoints' `aor/uri,aor/uri,`."""
    return {uri for entry in text.split(",") if (uri := entry.partition("/")[2])}
