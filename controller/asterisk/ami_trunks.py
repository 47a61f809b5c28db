"""From AMI's news to whether a trunk can be used. A hint: it chooses the way of a call, never what became of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.asterisk.ami_wire import header

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from controller.asterisk.ami_wire import Headers
    from controller.ports.phones import PhoneStatus

NOT_REGISTERED = frozenset({"Unregistered", "Rejected", "Stopping", "Stopped"})
"""res_pjsip_outbound_registration.c, sip_outbound_registration_status_str; any other word counts as registered."""


class TrunkWatch:
    """Which trunks can be used, by their PJSIP endpoints.

    One cannot while its contact does not answer (qualify) or its registration is refused. One whose contact is not
    qualified can, and so can all while nothing is known. A registration belongs to the trunk that it is named after, or
    that it names (`endpoint=` in pjsip.conf).
    """

    def __init__(self, endpoints: Iterable[str], tell: Callable[[str, bool], None]) -> None:
        self._told = dict.fromkeys(endpoints, True)
        self._tell = tell
        self._unreachable: set[str] = set()
        self._owners: dict[tuple[str, str], str] = {}
        """The trunk of each registration, by its client and server URI: events name no other."""
        self._not_registered: set[tuple[str, str]] = set()

    @property
    def endpoints(self) -> Mapping[str, bool]:
        """Whether each can be used."""
        return dict(self._told)

    def phone_changed(self, status: PhoneStatus) -> None:
        """Take the status of an endpoint; that of a phone changes nothing here."""
        change = self._unreachable.discard if status.registered else self._unreachable.add
        change(status.endpoint)
        self._settle()

    def take_registrations(self, items: Iterable[Headers]) -> None:
        """Take PJSIPShowRegistrationsOutbound whole."""
        self._owners.clear()
        self._not_registered.clear()
        for item in items:
            owner = next((name for name in _names_in(item) if name in self._told), None)
            if owner is not None:
                uris = (header(item, "ClientUri"), header(item, "ServerUri"))
                self._owners[uris] = owner
                self._note(uris, header(item, "Status"))
        self._settle()

    def hear(self, event: Headers) -> None:
        """Take a Registry event; one of a registration that was not listed is passed over."""
        uris = (header(event, "Username"), header(event, "Domain"))
        if uris in self._owners:
            self._note(uris, header(event, "Status"))
            self._settle()

    def forget(self) -> None:
        """Know nothing any more: the link is down."""
        self._unreachable.clear()
        self._owners.clear()
        self._not_registered.clear()
        self._settle()

    def _note(self, uris: tuple[str, str], status: str) -> None:
        change = self._not_registered.add if status in NOT_REGISTERED else self._not_registered.discard
        change(uris)

    def _settle(self) -> None:
        down = self._unreachable | {self._owners[uris] for uris in self._not_registered}
        for name, told in self._told.items():
            if told == (name in down):
                self._told[name] = not told
                self._tell(name, not told)


def _names_in(registration: Headers) -> tuple[str, str]:
    return header(registration, "Endpoint"), header(registration, "ObjectName")
