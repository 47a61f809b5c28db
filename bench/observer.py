"""SIP phones of a benchmark: hundreds behind one socket, which dial, are rung, and note when each packet passed.

They speak what a benchmark needs of RFC 3261 over UDP: registration with digest, calls both ways, retransmission. Sound
that is sent to them goes to a port that nobody reads; they send none.
"""

from __future__ import annotations

import asyncio
import itertools
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bench.observer_call import PhoneCall
from bench.observer_wire import Address, Message, Sink, Wire, answer_to, finished
from bench.sip_digest import proof_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from controller.provision import SipAccount

T1_S: Final = 0.5
TRIES: Final = 6
"""A packet is sent again after 0.5, 1, 2, 4 and 8 s more (RFC 3261, section 17.1.1.2)."""
FIRST_FINAL: Final = 200
FIRST_REFUSAL: Final = 300
UNAUTHORIZED: Final = 401
_EXPIRES_S: Final = 3600


class RefusedError(Exception):
    """The PBX did not take a registration; the message has its answer."""


@dataclass(slots=True)
class Asked:
    """A request of ours that has no final answer."""

    on_answer: Callable[[Message], None]
    is_heard: bool = False


class Phones:
    """All phones behind one address. `open()` in a running loop, `close()` at the end."""

    def __init__(self, host: str, pbx: Address) -> None:
        """Bind a port of `host`; `pbx` is where everything is sent."""
        self.pbx = pbx
        self.wire = Wire(host, self._on_message)
        self.sink = Sink(host)
        self.on_invite: Callable[[PhoneCall], None] = lambda call: call.refuse()
        """Called with each call that comes in; it may be answered at once."""
        self.sent_again = 0
        """Packets that had to be sent twice: something was slow, or lost."""
        self.calls: dict[str, PhoneCall] = {}
        """Those that are there, by their Call-ID."""
        self._asked: dict[str, Asked] = {}
        self._numbers = itertools.count(1)
        self._run = uuid.uuid4().hex[:8]

    def open(self) -> None:
        """Begin."""
        self.wire.open()

    def close(self) -> None:
        """End at once; calls that are there are left to the PBX."""
        self.wire.close()
        self.sink.close()

    def dial(self, user: str, number: str) -> PhoneCall:
        """Call a number; `user` is shown as the caller's."""
        call = PhoneCall(self, user)
        self.calls[call.id] = call
        call.dial(number)
        return call

    async def register(self, account: SipAccount, *, timeout_s: float = 5) -> None:
        """Register a phone, for an hour. Raises RefusedError, TimeoutError."""
        call_id = f"{self.fresh()}@bench"
        async with asyncio.timeout(timeout_s):
            answer = await self._register(account.user, call_id, 1)
            if answer.status == UNAUTHORIZED:
                proof = proof_of(answer.headers["www-authenticate"], account, "REGISTER", f"sip:{self.pbx[0]}")
                answer = await self._register(account.user, call_id, 2, f"Authorization: {proof}")
        if answer.status >= FIRST_REFUSAL:
            raise RefusedError(f"{account.user}: {answer.start}")

    def fresh(self) -> str:
        """Return a word that was never used."""
        return f"{self._run}{next(self._numbers)}"

    def contact(self, user: str) -> str:
        """Return the address at which a phone is rung."""
        return f"<sip:{user}@{self.wire.address[0]}:{self.wire.address[1]}>"

    def request(self, method: str, uri: str, branch: str, *headers: str, body: str = "", contact: str = "") -> str:
        """Return a request as text; `headers` are whole lines."""
        host, port = self.wire.address
        via = f"Via: SIP/2.0/UDP {host}:{port};rport;branch=z9hG4bK{branch}"
        return finished([f"{method} {uri} SIP/2.0", via, "Max-Forwards: 70", *headers], contact=contact, body=body)

    def ask(self, text: str, branch: str, on_answer: Callable[[Message], None]) -> int:
        """Send a request until something is heard of it; return when it left first. `on_answer` gets every answer."""
        asked = self._asked[branch] = Asked(on_answer)
        return self.insist(text, lambda: not asked.is_heard)

    def insist(self, text: str, is_needed: Callable[[], bool]) -> int:
        """Send a packet, and again as long as it is needed; return when it left first, in ns by CLOCK_REALTIME."""
        at_ns = self.wire.send(text, self.pbx)
        loop = asyncio.get_running_loop()

        def again(tried: int) -> None:
            if is_needed() and tried < TRIES and not self.wire.is_closed:
                self.sent_again += 1
                self.wire.send(text, self.pbx)
                loop.call_later(T1_S * 2**tried, again, tried + 1)

        loop.call_later(T1_S, again, 1)
        return at_ns

    async def _register(self, user: str, call_id: str, sequence: int, *more: str) -> Message:
        branch, answered = self.fresh(), asyncio.get_running_loop().create_future()
        address = f"<sip:{user}@{self.pbx[0]}>"
        lines = [f"From: {address};tag={branch}", f"To: {address}", f"Call-ID: {call_id}"]
        lines += [f"CSeq: {sequence} REGISTER", f"Expires: {_EXPIRES_S}", *more]
        text = self.request("REGISTER", f"sip:{self.pbx[0]}", branch, *lines, contact=self.contact(user))

        def heard(answer: Message) -> None:
            if answer.status >= FIRST_FINAL and not answered.done():
                answered.set_result(answer)

        self.ask(text, branch, heard)
        heard_of: Message = await answered
        return heard_of

    def _on_message(self, message: Message) -> None:
        if message.status:
            self._on_answer(message)
            return
        call = self.calls.get(message.headers["call-id"])
        if call is not None:
            call.asked(message)
        elif message.method == "INVITE":
            call = PhoneCall(self, message.user, invite=message)
            self.calls[call.id] = call
            self.on_invite(call)
        elif message.method != "ACK":
            known = message.method == "OPTIONS"
            self.wire.send(answer_to(message, "200 OK" if known else "481 Gone", tag="bench"), self.pbx)

    def _on_answer(self, answer: Message) -> None:
        if answer.method == "CANCEL":
            return  # It has the branch of its INVITE, whose own answer is what counts.
        branch = answer.vias[0].partition("branch=z9hG4bK")[2].partition(";")[0]
        asked = self._asked.get(branch)
        if asked is None:
            call = self.calls.get(answer.headers["call-id"])
            if call is not None and answer.method == "INVITE":
                call.acknowledge(answer)
            return
        asked.is_heard = True
        if answer.status >= FIRST_FINAL:
            del self._asked[branch]
        asked.on_answer(answer)
