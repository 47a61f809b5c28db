"""Real SIP phones without a sound card: accounts on one baresip stack, driven from asyncio.

    async with PhoneShelf() as shelf:
        caller = await shelf.add("09012340001", password, "127.0.0.1", 5070)
        await caller.register()
        call = await caller.dial("0312345678", timeout_s=20)
        await call.answered()
        await call.heard.until_sound()
        await call.press("1")

baresip-python is an alpha: nothing outside `lab/phone*.py` knows it, and `tests/contract/phones/` holds
what these modules promise against a real Asterisk.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from baresip import Account, BaresipError, Call, Config, RegistrationError, Runtime, StackEvent, UserAgent
from baresip.events import Event

from lab.phone_audio import AudioPump
from lab.phone_call import CallerId, CallOver, CallRefused, Ending, PhoneCall, Side, shown_to_called
from lab.recording import NotHeard, Recording

__all__ = [
    "Answer",
    "Busy",
    "CallOver",
    "CallRefused",
    "CallerId",
    "Ending",
    "Ignore",
    "NotHeard",
    "NotRung",
    "Phone",
    "PhoneCall",
    "PhoneShelf",
    "Recording",
    "RegistrationRefused",
    "Side",
]

_FAREWELL_S = 2.0


@dataclass(frozen=True)
class Answer:
    """Answers every call, `after_s` seconds of ringing later, and then says `tone_hz` (None: nothing)."""

    after_s: float = 0.0
    tone_hz: float | None = None


@dataclass(frozen=True)
class Busy:
    """Refuses every call at once with 486 Busy Here."""


@dataclass(frozen=True)
class Ignore:
    """Rings (180) until the caller gives up, or until the script answers what `Phone.rings` gave it."""


WhenRung = Answer | Busy | Ignore


class RegistrationRefused(Exception):  # noqa: N818 - an answer of the registrar, not a fault of the program
    """The registrar said no; `status` is None when it said nothing (not there, or no answer in time)."""

    def __init__(self, user: str, status: int | None, reason: str) -> None:
        self.status = status
        self.reason = reason
        super().__init__(f"{user} could not register: {status or 'no SIP status'} {reason}")


class NotRung(Exception):  # noqa: N818 - an answer to "does it ring?", read as such in a traceback
    """The phone was not called in the time that was given."""


class Phone:
    """One SIP account. `when_rung` may be changed at any time and holds for the calls that come after."""

    def __init__(self, shelf: "PhoneShelf", agent: UserAgent, user: str, registrar: str, shown_name: str) -> None:
        self.user = user
        self.uri = f"sip:{user}@{registrar}"
        self.when_rung: WhenRung = Ignore()
        self.calls: list[PhoneCall] = []  # every call of this phone, in order, both ways
        self.shelf = shelf
        self._agent = agent
        self._registrar = registrar
        self._shown_name = shown_name
        self._incoming: asyncio.Queue[PhoneCall] = asyncio.Queue()
        agent.on_incoming(self._rung)

    def __repr__(self) -> str:
        return f"<Phone {self.user}>"

    async def register(self, timeout_s: float = 10.0) -> None:
        """Register, and stay registered. Raises RegistrationRefused(status, reason)."""
        try:
            await self._agent.register(timeout=timeout_s)
        except RegistrationError as refusal:
            raise RegistrationRefused(self.user, refusal.status, refusal.reason or str(refusal)) from None

    async def unregister(self, timeout_s: float = 10.0) -> None:
        """Take the registration back; without effect when there is none. Raises RegistrationRefused."""
        try:
            await self._agent.unregister(timeout=timeout_s)
        except RegistrationError as refusal:
            raise RegistrationRefused(self.user, refusal.status, refusal.reason or str(refusal)) from None

    async def dial(self, number: str, *, timeout_s: float) -> PhoneCall:
        """Call a number (or a whole `sip:` URI); returns when the INVITE is out.

        When nobody has answered `timeout_s` later the call is cancelled: `answered()` then raises CallRefused
        with status None.
        """
        uri = number if number.startswith("sip:") else f"sip:{number}@{self._registrar}"
        call = await self.shelf.dial(self._agent, uri, CallerId(self.user, self._shown_name))
        self.calls.append(call)
        self.shelf.later(timeout_s, lambda: call.give_up(timeout_s))
        return call

    async def rings(self, timeout_s: float = 30.0) -> PhoneCall:
        """Return the next incoming call, oldest first, also one that came before it was asked for.

        Every incoming call comes by here once, whatever `when_rung` does with it. Raises NotRung.
        """
        try:
            async with asyncio.timeout(timeout_s):
                return await self._incoming.get()
        except TimeoutError:
            raise NotRung(f"{self.user} was not rung within {timeout_s:g} s") from None

    def _rung(self, native: Call) -> None:
        call = self.shelf.adopt(native, shown_to_called(native.headers.get("From", "")), incoming=True)
        self.calls.append(call)
        self._incoming.put_nowait(call)
        match self.when_rung:
            case Answer(after_s, tone_hz):
                if tone_hz is not None:
                    call.talk(tone_hz)
                self.shelf.later(after_s, call.answer)
            case Busy():
                self.shelf.later(0.0, call.busy)
            case Ignore():
                pass


class PhoneShelf:
    """The phones of this process: one SIP stack, on the event loop it was entered on.

    Use it as an async context manager, once at a time (the stack's state is the process's). Everything is on
    127.0.0.1: SIP on a free port, RTP in `rtp_ports` (two ports a call; keep clear of the PBX's own range).
    About 75 calls at once are what one process can carry. Leaving hangs up, unregisters and leaves no task and
    no thread behind.
    """

    def __init__(self, rtp_ports: tuple[int, int] = (28000, 28998)) -> None:
        self._config = Config(
            net_interface="127.0.0.1",
            max_concurrent_calls=None,
            expose_headers=("From",),
            native_log_level="error",  # refusals are answers here; the callers get them as exceptions
            # Packets are recorded when they come: a jitter buffer would move them on the time line.
            extra_config_text=(
                f"sip_listen 127.0.0.1:0\nrtp_ports {rtp_ports[0]}-{rtp_ports[1]}\naudio_jitter_buffer_type off\n"
            ),
        )
        self._runtime = Runtime()
        self._pump = AudioPump(time.monotonic)
        self._listener = ThreadPoolExecutor(max_workers=2, thread_name_prefix="phone-ear")
        self._phones: list[Phone] = []
        self._calls: dict[int, PhoneCall] = {}
        self._dialling = 0
        self._early: dict[int, list[StackEvent]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._timers: set[asyncio.TimerHandle] = set()
        self._closed = False

    async def __aenter__(self) -> Self:
        await self._runtime.start(self._config)
        self._runtime.subscribe(self._on_event)
        self._pump.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End every call, take the registrations back and stop the stack; without effect the second time.

        A PBX that no longer answers is waited for 2 s for the calls and 2 s for the registrations.
        """
        if self._closed:
            return
        self._closed = True
        for timer in self._timers:
            timer.cancel()
        live = list(self._calls.values())
        with contextlib.suppress(TimeoutError, BaresipError):
            async with asyncio.timeout(_FAREWELL_S):
                for call in live:
                    await call.hang_up()
                for call in live:
                    await call.ended
        await asyncio.gather(*(self._forget(phone) for phone in self._phones))
        if self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.to_thread(self._pump.stop)
        for call in self._calls.values():
            call.heard.finish(time.monotonic())
        await asyncio.to_thread(self._listener.shutdown)
        await self._runtime.close()

    async def add(self, user: str, password: str, host: str, port: int, *, display_name: str = "") -> Phone:
        """Put a phone on the shelf; it is not registered yet.

        Raises ValueError for text that cannot stand in a SIP address, BaresipError when the stack refuses it.
        """
        if any(sign in display_name for sign in '"\\<>\r\n'):
            raise ValueError(f'display name {display_name!r}: none of " \\ < > and no line break can stand in it')
        registrar = f"{host}:{port}"
        account = Account(user=user, domain=registrar, password=password, audio_codecs=("pcmu", "pcma"))
        address = f'"{display_name}" {account.aor()}' if display_name else account.aor()
        agent = await UserAgent.create(self._runtime, address, transfer_policy="reject")
        phone = Phone(self, agent, user, registrar, display_name)
        self._phones.append(phone)
        return phone

    # -- for the phones ----------------------------------------------------------------------------------

    async def dial(self, agent: UserAgent, uri: str, caller_id: CallerId) -> PhoneCall:
        """Send the INVITE and catch up with what has happened since: a refusal can be quicker than the return."""
        self._dialling += 1
        try:
            native = await agent.dial(uri)
            call = self.adopt(native, caller_id, incoming=False)
            for event in self._early.pop(native.handle, []):
                native._on_stack_event(event)  # noqa: SLF001 - it stays subscribed for ever if it misses its end
                self._on_event(event)
        finally:
            self._dialling -= 1
            if not self._dialling:
                self._early.clear()
        return call

    def adopt(self, native: Call, caller_id: CallerId, *, incoming: bool) -> PhoneCall:
        """Take a call of the stack onto the shelf: its events and its sound go to it from now on."""
        call = PhoneCall(native, Recording(self._listener), caller_id, incoming=incoming)
        self._calls[native.handle] = call
        self._pump.plug(call.line)
        return call

    def later(self, delay_s: float, what: Callable[[], Coroutine[object, object, None]]) -> None:
        """Do something with a call after a while; that the call is over by then is no error."""

        def start() -> None:
            self._timers.discard(timer)
            task = asyncio.get_running_loop().create_task(_unless_over(what()))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        timer = asyncio.get_running_loop().call_later(delay_s, start)
        self._timers.add(timer)

    def _on_event(self, event: StackEvent) -> None:
        if not event.call:
            return
        call = self._calls.get(event.call)
        if call is None:
            if self._dialling:
                self._early.setdefault(event.call, []).append(event)
            return
        call.notice(event, time.monotonic())
        if event.event is Event.CALL_CLOSED:
            self._pump.unplug(call.line)
            del self._calls[event.call]

    async def _forget(self, phone: Phone) -> None:
        with contextlib.suppress(RegistrationRefused, BaresipError):
            await phone.unregister(timeout_s=_FAREWELL_S)


async def _unless_over(what: Coroutine[object, object, None]) -> None:
    with contextlib.suppress(CallOver):
        await what
