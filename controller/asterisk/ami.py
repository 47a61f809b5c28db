"""Follows the agents' phones and the PBX's start and stop through AMI. What it says is a hint.

The AMI user needs `read = system,call` and `write = system,reporting`, and Asterisk needs res_manager_devicestate.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

import structlog

from controller.asterisk.ami_account import Retries, connect_for_ever
from controller.asterisk.ami_errors import AmiRefusedError
from controller.asterisk.ami_phones import PhoneBoard
from controller.asterisk.ami_trunks import TrunkWatch
from controller.asterisk.ami_wire import header
from controller.ports.phones import PbxNews, PhoneWatcher

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import NoReturn

    from controller.asterisk.ami_account import AmiAccount
    from controller.asterisk.ami_errors import AmiError
    from controller.asterisk.ami_wire import AmiConnection, Headers
    from controller.ports.clock import Clock
    from controller.ports.phones import PhoneStatus

logger = structlog.get_logger()

_News = TypeVar("_News")

FOLLOWED_EVENTS = ("DeviceStateChange", "ContactStatus", "Registry", "FullyBooted", "Shutdown")
_NOTHING_TO_LIST = ("No Contacts found", "No endpoints found")
"""How PJSIPShowContacts and PJSIPShowEndpoints say that a list is empty (res_pjsip)."""
REGISTRATIONS = "PJSIPShowRegistrationsOutbound"
_NO_SUCH_ACTION = "Invalid/unknown command"
RETRIES = Retries(refused_s=60)
_PATIENT_PINGS = 4
_NOT_BOOTED = (
    "Asterisk has not said FullyBooted: it is still starting, or the AMI user lacks read = system,call in manager.conf"
)
_WHAT_TO_DO = (
    "give the AMI user read = system,call and write = system,reporting in manager.conf, and load "
    "res_pjsip and res_manager_devicestate"
)


class AmiWatcher(PhoneWatcher):
    """Phones and trunks by way of Asterisk's manager interface. `run` does the work and never returns by itself.

    `endpoints` and `trunks` are PJSIP endpoint names. `clock` waits between tries.
    """

    def __init__(
        self,
        account: AmiAccount,
        *,
        endpoints: Iterable[str],
        trunks: Iterable[str] = (),
        clock: Clock,
        ping_interval_s: float = 5,
        retries: Retries = RETRIES,
    ) -> None:
        self._account = account
        self._ping_interval_s = ping_interval_s
        self._retries = retries
        self._clock = clock
        self._endpoints = frozenset(endpoints)
        self.on_trunk: Callable[[str, bool], None] = lambda _endpoint, _healthy: None
        """Told of a trunk that can be used no more, or again. While nothing is known every trunk can."""
        self._trunks = TrunkWatch(trunks, self._tell_trunk)
        self._board = PhoneBoard(self._endpoints | self._trunks.endpoints.keys(), self._tell_phone)
        self._phone_callbacks: list[Callable[[PhoneStatus], None]] = []
        self._pbx_callbacks: list[Callable[[PbxNews], None]] = []
        self._stale = True
        self.on_known: Callable[[], None] = lambda: None
        """Called each time that the statuses have become true again, whether one of them differs or not."""
        self._booted = asyncio.Event()
        self._problem: str | None = "AMI: not connected yet"

    @property
    def stale(self) -> bool:
        """Whether the statuses may be out of date: true until the first lists are in, and while the link is down."""
        return self._stale

    @property
    def problem(self) -> str | None:
        """One line that says why the statuses are stale; None while they are not."""
        return self._problem

    def statuses(self) -> Mapping[str, PhoneStatus]:
        """Return the last known status of every watched endpoint, trunks included, by its name."""
        return self._board.statuses()

    def subscribe(self, callback: Callable[[PhoneStatus], None]) -> None:
        """Call back with each status that changes from now on, in the order of events."""
        self._phone_callbacks.append(callback)

    def subscribe_pbx(self, callback: Callable[[PbxNews], None]) -> None:
        """Call back when the PBX has booted (again after every reconnect), and when it says that it stops."""
        self._pbx_callbacks.append(callback)

    async def run(self) -> None:
        """Connect, list, follow; on any failure say so and try again, for ever. For a TaskGroup."""
        await connect_for_ever(
            self._follow_one_connection,
            clock=self._clock,
            retries=self._retries,
            worked=lambda: not self._stale,
            on_failure=self._note_failure,
        )

    def _note_failure(self, failure: AmiError, next_try_in_s: float) -> None:
        self._stale, self._problem = True, str(failure)
        logger.warning("ami_down", problem=self._problem, next_try_in_s=next_try_in_s)
        self._trunks.forget()

    async def _follow_one_connection(self) -> NoReturn:
        """Raise AmiError, always: a connection ends in no other way."""
        self._booted.clear()
        async with self._account.session(on_event=self._hear, events="on") as connection:
            for event in FOLLOWED_EVENTS:  # everything else stays inside Asterisk
                await self._ask(connection, "Filter", Operation="Add", MatchCriteria=f"name({event})")
            pings = 0
            while True:
                if self._booted.is_set():
                    self._booted.clear()
                    await self._list_all(connection)
                await connection.until(self._booted, self._ping_interval_s)
                if not self._booted.is_set():
                    await connection.act("Ping")
                    pings += 1
                    if pings == _PATIENT_PINGS and self._stale:
                        self._problem = f"AMI at {connection.where}: logged in, but {_NOT_BOOTED}"
                        logger.warning("ami_waiting_for_boot", problem=self._problem)

    async def _list_all(self, connection: AmiConnection) -> None:
        self._board.begin_listing()
        registrations = await self._ask(connection, REGISTRATIONS) if self._trunks.endpoints else []
        absent = self._board.take_lists(
            devices=await self._ask(connection, "DeviceStateList"),
            contacts=await self._ask(connection, "PJSIPShowContacts"),
            endpoints=await self._ask(connection, "PJSIPShowEndpoints"),
        )
        self._trunks.take_registrations(registrations)
        self._stale, self._problem = False, None
        for status in self._board.statuses().values():
            self._trunks.phone_changed(status)
        self.on_known()
        logger.info("ami_up", where=connection.where, endpoints=len(self._board.statuses()))
        if absent:
            logger.warning(
                "ami_endpoints_unknown", endpoints=absent, to_do="add them to pjsip.conf or correct the names"
            )

    async def _ask(self, connection: AmiConnection, action: str, **headers: str) -> list[Headers]:
        """Return a list's items. Raises AmiRefusedError when Asterisk says no."""
        first, *items = await connection.act(action, **headers)
        if header(first, "Response") != "Success":
            reason = header(first, "Message").strip()
            # Where the module is missing nothing can be registered.
            is_without = action == REGISTRATIONS and reason.startswith(_NO_SUCH_ACTION)
            if reason not in _NOTHING_TO_LIST and not is_without:
                raise AmiRefusedError(f"AMI at {connection.where}: {action} refused ({reason}): {_WHAT_TO_DO}")
        return items[:-1]

    def _hear(self, event: Headers) -> None:
        kind = header(event, "Event")
        if kind == "FullyBooted":
            self._booted.set()
            self._tell_pbx(PbxNews.UP)
        elif kind == "Shutdown":
            self._tell_pbx(PbxNews.DOWN)
        elif kind == "Registry":
            self._trunks.hear(event)
        else:
            self._board.hear(event)

    def _tell_phone(self, status: PhoneStatus) -> None:
        if not self._stale:  # Before the lists are in, an endpoint of which little is known is not yet out of reach.
            self._trunks.phone_changed(status)
        if status.endpoint in self._endpoints:
            for callback in self._phone_callbacks:
                _call(callback, status)

    def _tell_trunk(self, endpoint: str, healthy: bool) -> None:
        _call(lambda name: self.on_trunk(name, healthy), endpoint)

    def _tell_pbx(self, news: PbxNews) -> None:
        logger.info("pbx_news", news=news.value)
        for callback in self._pbx_callbacks:
            _call(callback, news)


def _call(callback: Callable[[_News], None], news: _News) -> None:
    try:
        callback(news)
    except Exception:  # one subscriber's bug must not blind the others, or look like a broken line
        logger.exception("ami_subscriber_failed")
