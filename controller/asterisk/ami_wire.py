"""One AMI connection: panoramisk's protocol, with a guard for each of its faults.

Only panoramisk's protocol, actions and messages are used. Its Manager reconnects by itself and then sends
unanswered actions again, and does not notice a peer that fell silent; here a connection is used once, every
action has a deadline, and a connection that misses one is cut.

The wire: https://docs.asterisk.org/Configuration/Interfaces/Asterisk-Manager-Interface-AMI/
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from panoramisk.ami_protocol import AMIProtocol

from controller.asterisk.ami_errors import (
    AmiActionForbiddenError,
    AmiConnectionLostError,
    AmiError,
    AmiUnreachableError,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    Headers = Mapping[str, Any]

END_OF_LINE = b"\r\n"
END_OF_BLOCK = b"\r\n\r\n"
GREETING = b"Asterisk Call Manager/"
LONGEST_GREETING_BYTES = 128
LONGEST_BLOCK_BYTES = 65_536
"""Asterisk's own events stay far below: the longest that are followed here have about 1 kB."""
BYTES_A_TURN = 16_384
"""A storm of events is read in small turns, about 3 ms each, so that calls go on between them."""
MOST_LIST_ITEMS = 20_000
MOST_UNREADABLE_BLOCKS = 100

SENDABLE_ACTIONS = frozenset(
    {
        *("Login", "Filter", "Ping", "DeviceStateList", "QueueLog"),
        *("PJSIPShowContacts", "PJSIPShowEndpoints", "PJSIPShowRegistrationsOutbound"),
    }
)
"""They read, or shape this session alone, so one that is sent twice does no harm. Only QueueLog writes (a line into a
report): its sender never repeats one. Calls are placed elsewhere."""

_SINGLE_HEADERS = ("event", "response", "actionid", "commandid", "message", "eventlist", "subevent")
_SILENT = logging.getLogger("panoramisk.silenced")  # its own lines quote whole actions, secret included
_SILENT.setLevel(logging.CRITICAL + 1)


def checked_text(what: str, value: str) -> str:
    """Return `value`. Raises ValueError when it cannot stand in a header: CR LF would start a header of its own."""
    if any(ord(character) < 0x20 or ord(character) == 0x7F for character in value):  # noqa: PLR2004 - ASCII's own limits
        raise ValueError(f"{what} holds a control character (a line break, perhaps): remove it")
    if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        raise ValueError(f"{what} holds half a character (a surrogate) that cannot be sent as UTF-8: remove it")
    return value


def header(message: Headers, name: str) -> str:
    """Return one header's text; "" when it is missing or stands there more than once."""
    value = message[name] if name in message else ""  # noqa: SIM401 - panoramisk's get() is bound to its own defaults
    return value if isinstance(value, str) else ""


class _GuardedProtocol(AMIProtocol):  # type: ignore[misc]  # panoramisk ships no types
    """panoramisk's parser behind caps; reports to its `AmiConnection`."""

    closed: bool
    version: str | None

    def __init__(self, owner: AmiConnection) -> None:
        self._owner = owner
        self._pending = bytearray()
        self._blocks_handled = 0
        self._unreadable = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.factory = self._owner
        self.encoding = "utf-8"
        self.log = _SILENT

    def send(self, data: dict[str, str], as_list: bool | None = None) -> asyncio.Future[Any]:
        """Send one action; raise AmiActionForbiddenError or ValueError before a byte is written."""
        if data.get("Action") not in SENDABLE_ACTIONS:
            raise AmiActionForbiddenError(f"AMI action {data.get('Action')!r} is never sent from here")
        for name, value in data.items():
            checked_text(f"AMI header name {name!r}", name)
            checked_text(f"AMI header {name}", value)
        future: asyncio.Future[Any] = super().send(data, as_list=as_list)
        return future

    def data_received(self, data: bytes) -> None:
        """Hand on whole blocks only, so that nothing unbounded is kept and no character is cut in two."""
        if self.closed:
            return
        self._pending += data
        if self.version is not None or self._read_greeting():
            self._take_turn()

    def _take_turn(self) -> None:
        if self.closed:
            return
        end = self._pending.rfind(END_OF_BLOCK, 0, BYTES_A_TURN)
        if end < 0:
            end = self._pending.find(END_OF_BLOCK)
        if end > LONGEST_BLOCK_BYTES or (end < 0 and len(self._pending) > LONGEST_BLOCK_BYTES):
            self.cut(f"it sent a message of more than {LONGEST_BLOCK_BYTES} bytes")
        elif end < 0:
            self.transport.resume_reading()
        else:
            end += len(END_OF_BLOCK)
            blocks = bytes(self._pending[:end])
            del self._pending[:end]
            self._read_blocks(blocks)
            self._go_on()

    def _go_on(self) -> None:
        """Take the next turn after everybody else had theirs; meanwhile the sender waits."""
        if self._pending and not self.closed:
            self.transport.pause_reading()
            asyncio.get_running_loop().call_soon(self._take_turn)
        else:
            self.transport.resume_reading()

    def _read_greeting(self) -> bool:
        end = self._pending.find(END_OF_LINE)
        if (
            end < 0
            and len(self._pending) < LONGEST_GREETING_BYTES
            and GREETING.startswith(bytes(self._pending[: len(GREETING)]))
        ):
            return False
        if end < 0 or not self._pending.startswith(GREETING):
            self.cut("what answers there is not Asterisk's manager interface: check host and port", greeted=False)
            return False
        self.version = self._pending[len(GREETING) : end].decode("ascii", "replace")
        del self._pending[: end + len(END_OF_LINE)]
        self._owner.greeted()
        return True

    def _read_blocks(self, blocks: bytes) -> None:
        expected = self._blocks_handled + blocks.count(END_OF_BLOCK)
        try:
            super().data_received(blocks)
        except Exception as fault:  # noqa: BLE001 - whatever its parser trips over, the connection is what ends
            self.cut(f"it sent something that cannot be read ({type(fault).__name__}: {fault})")
            return
        self._unreadable += max(0, expected - self._blocks_handled)
        self._blocks_handled = expected
        if self._unreadable > MOST_UNREADABLE_BLOCKS:
            self.cut(f"it sent {self._unreadable} messages that are neither event nor response")

    def handle_message(self, message: Headers) -> None:
        """Refuse doubled headers that the parser cannot take, and lists that never end."""
        if self.closed:
            return
        if any(name in message and not isinstance(message[name], str) for name in _SINGLE_HEADERS):
            return
        self._blocks_handled += 1
        waiting = self.responses.get(header(message, "ActionID"))
        if waiting is not None and len(waiting.responses) >= MOST_LIST_ITEMS:
            self.cut(f"it sent a list of more than {MOST_LIST_ITEMS} items")
            return
        super().handle_message(message)

    def connection_lost(self, exc: Exception | Headers | None) -> None:
        """Take note. At a Shutdown event panoramisk calls this with the event: that is not the end yet."""
        if exc is None or isinstance(exc, Exception):
            self.cut(f"the other side closed it ({exc})" if exc else "the other side closed it")

    def cut(self, reason: str, *, greeted: bool = True) -> None:
        """End the connection at once, and forget what is unanswered: panoramisk's `close` would keep it to send again.

        It aborts, because closing would wait for a peer that no longer reads.
        """
        if not self.closed:
            self.closed = True
            self.responses.clear()
            self._pending.clear()
            self.queue.clear()
            self.transport.abort()
            self._owner.lost(reason, greeted=greeted)


class AmiConnection:
    """One connection, from greeting to end. Get it from `open_ami`; `act` sends, `on_event` hears events in order."""

    def __init__(self, where: str, on_event: Callable[[Headers], None], action_timeout_s: float) -> None:
        self.where = where
        self._on_event = on_event
        self._action_timeout_s = action_timeout_s
        self._protocol = _GuardedProtocol(self)
        self._greeted = asyncio.Event()
        self._failure: AmiError | None = None
        self.ended = asyncio.Event()

    @property
    def protocol(self) -> asyncio.Protocol:
        """What the transport talks to."""
        return self._protocol

    def dispatch(self, message: Headers) -> None:
        """Pass on one event, as panoramisk's protocol found it."""
        self._on_event(message)

    def greeted(self) -> None:
        """Note that the other side is Asterisk."""
        self._greeted.set()

    def lost(self, reason: str, *, greeted: bool) -> None:
        """Note why the connection ended; whoever waits for something is told."""
        kind = AmiConnectionLostError if greeted and self._greeted.is_set() else AmiUnreachableError
        self._failure = kind(f"AMI at {self.where}: {reason}")
        self.ended.set()

    async def expect_greeting(self) -> None:
        """Wait for the first line. Raises AmiUnreachableError."""
        await self._within_deadline(self._greeted.wait(), "it accepted a connection and said nothing")

    async def act(self, action: str, **headers: str) -> list[Headers]:
        """Send one action; return its response and, for a list, the items after it (the last one ends the list).

        Raises AmiConnectionLostError when there is no answer within the deadline (the connection is cut then),
        AmiActionForbiddenError and ValueError before anything is sent.
        """
        self.check()
        answer = await self._within_deadline(
            self._protocol.send({"Action": action, **headers}), f"no answer to {action}"
        )
        return list(answer) if isinstance(answer, list) else [answer]

    async def until(self, noted: asyncio.Event, within_s: float) -> None:
        """Return when `noted` is set or the time is up. Raises what ended the connection, if it ended."""
        waits = [asyncio.ensure_future(event.wait()) for event in (self.ended, noted)]
        try:
            await asyncio.wait(waits, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        self.check()

    def check(self) -> None:
        """Raise what ended the connection, if it ended."""
        if self._failure is not None:
            raise self._failure

    def cut(self, reason: str) -> None:
        """End the connection for a reason of our own. Repeatable."""
        self._protocol.cut(reason)

    async def _within_deadline(self, wanted: Any, missed: str) -> Any:
        wanting = asyncio.ensure_future(wanted)
        ending = asyncio.ensure_future(self.ended.wait())
        try:
            await asyncio.wait((wanting, ending), timeout=self._action_timeout_s, return_when=asyncio.FIRST_COMPLETED)
            if wanting.done():
                return wanting.result()
            self._protocol.cut(f"{missed} within {self._action_timeout_s:g} s")
            self.check()
            raise AssertionError("a connection that was cut has a failure")
        finally:
            wanting.cancel()
            ending.cancel()


@asynccontextmanager
async def open_ami(
    host: str, port: int, *, on_event: Callable[[Headers], None], action_timeout_s: float
) -> AsyncIterator[AmiConnection]:
    """Connect and wait for the greeting; the connection is cut when the context is left.

    Raises AmiUnreachableError when nothing listens there, nothing is said in time, or it is not AMI.
    """
    where = f"{host}:{port}"
    connection = AmiConnection(where, on_event, action_timeout_s)
    try:
        async with asyncio.timeout(action_timeout_s):
            loop = asyncio.get_running_loop()
            await loop.create_connection(lambda: connection.protocol, host, port)
    except OSError as fault:  # TimeoutError is one
        raise AmiUnreachableError(
            f"AMI at {where}: cannot connect ({str(fault) or 'timed out'}): is Asterisk running, "
            "and does manager.conf have enabled = yes and this port?"
        ) from fault
    try:
        await connection.expect_greeting()
        yield connection
    finally:
        connection.cut("closed by the controller")
