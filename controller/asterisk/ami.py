"""Follows the agents' phones and the PBX's start and stop through AMI. What it says is a hint.

The AMI user needs `read = system,call` and `write = system,reporting`, and Asterisk needs res_manager_devicestate.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

import structlog

from controller.asterisk.ami_account import AmiAccount
from controller.asterisk.ami_errors import AmiError, AmiRefusedError
from controller.asterisk.ami_phones import PhoneBoard
from controller.asterisk.ami_wire import header
from controller.ports.phones import PbxNews, PhoneWatcher

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from controller.asterisk.ami_wire import AmiConnection, Headers
    from controller.ports.clock import Clock
    from controller.ports.phones import PhoneStatus

logger = structlog.get_logger()

_News = TypeVar("_News")

FOLLOWED_EVENTS = ("DeviceStateChange", "ContactStatus", "FullyBooted", "Shutdown")
_NOTHING_TO_LIST = ("No Contacts found", "No endpoints found")
"""How PJSIPShowContacts and PJSIPShowEndpoints say that a list is empty (res_pjsip)."""
_PATIENT_PINGS = 4
_NOT_BOOTED = (
    "Asterisk has not said FullyBooted: it is still starting, or the AMI user lacks read = system,call in manager.conf"
)
_WHAT_TO_DO = (
    "give the AMI user read = system,call and write = system,reporting in manager.conf, and load "
    "res_pjsip and res_manager_devicestate"
)


class AmiWatcher(PhoneWatcher):
    """Phones by way of Asterisk's manager interface. `run` does the work and never returns by itself.

    `endpoints` are PJSIP endpoint names; agents' phones and trunks alike. `clock` waits between tries.
    """

    def __init__(
        self,
        *,
        host: str,
        port: int,
        username: str,
        secret: str,
        endpoints: Iterable[str],
        clock: Clock,
        ping_interval_s: float = 5,
        action_timeout_s: float = 3,
        first_retry_s: float = 0.5,
        longest_retry_s: float = 30,
        refused_retry_s: float = 60,
    ) -> None:
        self.account = AmiAccount(host, port, username, secret, action_timeout_s)
        self._ping_interval_s = ping_interval_s
        self._first_retry_s = first_retry_s
        self._longest_retry_s = longest_retry_s
        self._refused_retry_s = refused_retry_s
        self._clock = clock
        self._board = PhoneBoard(endpoints, self._tell_phone)
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
        """Return the last known status of every watched endpoint, by its name."""
        return self._board.statuses()

    def subscribe(self, callback: Callable[[PhoneStatus], None]) -> None:
        """Call back with each status that changes from now on, in the order of events."""
        self._phone_callbacks.append(callback)

    def subscribe_pbx(self, callback: Callable[[PbxNews], None]) -> None:
        """Call back when the PBX has booted (again after every reconnect), and when it says that it stops."""
        self._pbx_callbacks.append(callback)

    async def run(self) -> None:
        """Connect, list, follow; on any failure say so and try again, for ever. For a TaskGroup."""
        retry_s = self._first_retry_s
        while True:
            try:
                await self._follow_one_connection()
            except AmiError as failure:
                was_fresh, self._stale, self._problem = not self._stale, True, str(failure)
                if was_fresh:
                    retry_s = self._first_retry_s
                wait_s = self._refused_retry_s if isinstance(failure, AmiRefusedError) else retry_s
                logger.warning("ami_down", problem=self._problem, next_try_in_s=wait_s)
            await self._clock.sleep(wait_s)
            retry_s = min(retry_s * 2, self._longest_retry_s)

    async def _follow_one_connection(self) -> None:
        """Raise AmiError, always: a connection ends in no other way."""
        self._booted.clear()
        async with self.account.session(on_event=self._hear, events="on") as connection:
            for event in FOLLOWED_EVENTS:  # everything else stays inside Asterisk
                await self._ask(connection, "Filter", Operation="Add", MatchCriteria=f"name({event})")
            pings = 0
            while True:
                if self._booted.is_set():
                    self._booted.clear()
                    await self._list_all(connection)
                await self._wait_for_news(connection)
                connection.check()
                if not self._booted.is_set():
                    await connection.act("Ping")
                    pings += 1
                    if pings == _PATIENT_PINGS and self._stale:
                        self._problem = f"AMI at {connection.where}: logged in, but {_NOT_BOOTED}"
                        logger.warning("ami_waiting_for_boot", problem=self._problem)

    async def _list_all(self, connection: AmiConnection) -> None:
        self._board.begin_listing()
        absent = self._board.take_lists(
            devices=await self._ask(connection, "DeviceStateList"),
            contacts=await self._ask(connection, "PJSIPShowContacts"),
            endpoints=await self._ask(connection, "PJSIPShowEndpoints"),
        )
        self._stale, self._problem = False, None
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
            if reason not in _NOTHING_TO_LIST:
                raise AmiRefusedError(f"AMI at {connection.where}: {action} refused ({reason}): {_WHAT_TO_DO}")
        return items[:-1]

    async def _wait_for_news(self, connection: AmiConnection) -> None:
        """Return when the connection ended, the PBX has booted, or a ping is due."""
        waits = [asyncio.ensure_future(event.wait()) for event in (connection.ended, self._booted)]
        try:
            await asyncio.wait(waits, timeout=self._ping_interval_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    def _hear(self, event: Headers) -> None:
        kind = header(event, "Event")
        if kind == "FullyBooted":
            self._booted.set()
            self._tell_pbx(PbxNews.UP)
        elif kind == "Shutdown":
            self._tell_pbx(PbxNews.DOWN)
        else:
            self._board.hear(event)

    def _tell_phone(self, status: PhoneStatus) -> None:
        for callback in self._phone_callbacks:
            _call(callback, status)

    def _tell_pbx(self, news: PbxNews) -> None:
        logger.info("pbx_news", news=news.value)
        for callback in self._pbx_callbacks:
            _call(callback, news)


def _call(callback: Callable[[_News], None], news: _News) -> None:
    try:
        callback(news)
    except Exception:  # one subscriber's bug must not blind the others, or look like a broken line
        logger.exception("ami_subscriber_failed")
