"""One call of a phone, by either side: answer, press, talk, listen, hang up, and how it ended."""

import asyncio
import enum
import re
from collections.abc import Awaitable
from dataclasses import dataclass

from baresip import Call, StackEvent, StaleHandleError
from baresip.errors import split_status
from baresip.events import Event

from lab.phone_audio import Line
from lab.recording import Recording

# The stack's own words for an end that this side made (there is no code for it).
_ENDED_HERE = ("Rejected by user", "Busy Here")
_RESET_BY_PEER = "Connection reset by peer"  # its words for a BYE or a CANCEL that was received
_CAUSE = re.compile(r",?Q\.850;cause=(\d+).*")  # RFC 3326 Reason header, appended by the stack
_ADDRESS = re.compile(r'^\s*(?:"(?P<name>(?:[^"\\]|\\.)*)"|(?P<token>[^<"]*?))\s*<sips?:(?P<user>[^@>;]*)')


class Side(enum.StrEnum):
    """Who ended a call."""

    HERE = "here"  # this phone
    THERE = "there"  # the other end, or the PBX for it
    NETWORK = "network"  # nobody: no answer to a request, no RTP, a broken stack


@dataclass(frozen=True)
class Ending:
    """How a call ended.

    `status` and `reason` are the SIP final response to an INVITE that failed (486, "Busy Here"); None for a call
    that was hung up. `cause` is the Q.850 cause of a Reason header (RFC 3326) where one came.
    """

    by: Side
    status: int | None
    reason: str
    cause: int | None = None


@dataclass(frozen=True)
class CallerId:
    """What the called phone's display shows: the user part and the display name of the From header."""

    number: str
    name: str


class CallRefused(Exception):  # noqa: N818 - an answer of the far end, not a fault of the program
    """The call ended without ever being answered; `status` is None where no SIP answer came."""

    def __init__(self, ending: Ending) -> None:
        self.status = ending.status
        self.reason = ending.reason
        self.ending = ending
        super().__init__(f"not answered: {ending.status or 'no SIP status'} {ending.reason} (by {ending.by})")


class CallOver(Exception):  # noqa: N818 - an ordinary end of a call, met while something else was wanted
    """The call ended before what was asked of it could be done."""

    def __init__(self, what: str, ending: Ending | None) -> None:
        self.ending = ending
        how = "it is gone" if ending is None else f"ended by {ending.by}: {ending.status or ''} {ending.reason}"
        super().__init__(f"{what}: the call is over ({how})")


class PhoneCall:
    """A call, from the INVITE on. Made by `Phone.dial` and by `Phone.rings`.

    `heard` is what it receives, `digits` the RFC 4733 keys that the other side has pressed so far.
    """

    def __init__(self, call: Call, heard: Recording, caller_id: CallerId, *, incoming: bool) -> None:
        self.heard = heard
        self.caller_id = caller_id
        self.incoming = incoming
        self.digits = ""
        self.ending: Ending | None = None
        self.line = Line(call.audio, heard)
        self._call = call
        self._gave_up: str | None = None
        self._rung = asyncio.Event()
        self._answered = asyncio.Event()
        self._was_answered = False
        self._changed = asyncio.Event()
        self._ended: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()

    def __repr__(self) -> str:
        way = "incoming" if self.incoming else "outgoing"
        return f"<PhoneCall {way}, {'over' if self.ending else 'up' if self._was_answered else 'ringing'}>"

    # -- what a person does ------------------------------------------------------------------------------

    async def answer(self) -> None:
        """Pick up (200 OK); `answered()` tells when both sides are connected. Raises CallOver when it is gone."""
        try:
            await self._call.answer()
        except StaleHandleError:
            raise CallOver("answer", self.ending) from None

    async def busy(self) -> None:
        """Refuse with 486 Busy Here. Raises CallOver when the caller has gone."""
        try:
            await self._call.reject()
        except StaleHandleError:
            raise CallOver("busy", self.ending) from None

    async def hang_up(self) -> None:
        """End the call: CANCEL, BYE or 486 as its state asks. A call that is over already is left as it is."""
        try:
            await self._call.hangup()
        except StaleHandleError:
            return

    async def press(self, digits: str, *, gap_ms: int = 100) -> None:
        """Press keys, each for 100 ms with `gap_ms` between, as RFC 4733 events; returns after the last one.

        Raises CallOver when the call ends meanwhile, ValueError for what is not one of 0-9 A-D * #.
        """
        try:
            await self._call.send_dtmf(digits, interdigit_ms=gap_ms)
        except StaleHandleError:
            raise CallOver("press", self.ending) from None

    def talk(self, tone_hz: float) -> None:
        """Send a continuous sine of -12 dBFS from now (or from the answer) on, until `hush()`."""
        self.line.tone_hz = tone_hz

    def hush(self) -> None:
        """Send silence again, from at most 60 ms from now on."""
        self.line.tone_hz = None

    # -- what happens ------------------------------------------------------------------------------------

    async def ringing(self) -> None:
        """Wait for 180 or 183 (or the answer). Raises CallRefused when the call ends first."""
        await self._rung.wait()
        if self.ending is not None and not self._was_answered:
            raise CallRefused(self.ending)

    async def answered(self) -> None:
        """Wait until the call is answered and has media; at once when it was. Raises CallRefused if it never is."""
        await self._answered.wait()
        if not self._was_answered and self.ending is not None:
            raise CallRefused(self.ending)

    @property
    def ended(self) -> Awaitable[Ending]:
        """Awaitable: how the call ended. Awaiting it with a timeout, or many times, does no harm."""
        return asyncio.shield(self._ended)

    async def until_digits(self, count: int, timeout_s: float = 10.0) -> str:
        """Wait until the other side has pressed `count` keys in all; return all of them.

        Raises CallOver when the call ends first and TimeoutError, naming what came, when the time is up.
        """
        try:
            async with asyncio.timeout(timeout_s):
                while len(self.digits) < count:
                    if self.ending is not None:
                        raise CallOver(f"{len(self.digits)} of {count} digits", self.ending)
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            message = f"{len(self.digits)} of {count} digits came in {timeout_s:g} s: {self.digits!r}"
            raise TimeoutError(message) from None
        return self.digits

    # -- for the shelf -----------------------------------------------------------------------------------

    async def give_up(self, after_s: float) -> None:
        """Hang up because nobody answered in time, and say so in the ending."""
        if self.ending is None and not self._was_answered:
            self._gave_up = f"nobody answered within {after_s:g} s"
            await self.hang_up()

    def notice(self, event: StackEvent, now_s: float) -> None:
        """Take in one event of the SIP stack; called on the event loop, in the order of arrival."""
        if event.event in (Event.CALL_RINGING, Event.CALL_PROGRESS):
            self._rung.set()
        elif event.event is Event.CALL_ESTABLISHED:
            self._was_answered = True
            self.heard.begin(now_s)
            self._rung.set()
            self._answered.set()
        elif event.event is Event.CALL_DTMF_START and event.text:
            self.digits += event.text
            self._changed.set()
        elif event.event is Event.CALL_CLOSED and self.ending is None:
            self.ending = self._ending_from(event.text or "")
            self.heard.finish(now_s)
            self._rung.set()
            self._answered.set()
            self._changed.set()
            self._ended.set_result(self.ending)

    def _ending_from(self, text: str) -> Ending:
        found = _CAUSE.search(text)
        cause = int(found[1]) if found else None
        plain = _CAUSE.sub("", text)
        if plain in _ENDED_HERE:
            return Ending(Side.HERE, None, self._gave_up or "hung up", cause)
        if plain.startswith(_RESET_BY_PEER):
            return Ending(Side.THERE, None, "hung up", cause)
        status, reason = split_status(plain)
        return Ending(Side.NETWORK if status is None else Side.THERE, status, reason or "no reason given", cause)


def shown_to_called(from_header: str) -> CallerId:
    """Return what a phone shows for a From header (RFC 3261 section 20.20); empty strings where it has none."""
    found = _ADDRESS.match(from_header)
    if not found:
        return CallerId("", "")
    name = re.sub(r"\\(.)", r"\1", found["name"]) if found["name"] is not None else found["token"].strip()
    return CallerId(found["user"], name)
