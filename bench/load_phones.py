"""Callers who call and agents who answer, a thousand of them on two sockets; each call's instants are noted.

An instant is `time.monotonic()` when the packet was read or sent, in seconds; it is the same clock in all processes.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bench.bench_pbx import AGENTS_HOST, CALLERS_HOST
from bench.load_sip import Message, SipSocket, is_refusal, uri_of, user_of
from bench.sip_digest import proof_of
from controller.provision.site import SipAccount

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_UNAUTHORISED: Final = 401
_EXPIRES_S: Final = 3600


@dataclass(slots=True)
class CallMade:
    """One caller's call, as both of its ends saw it; 0.0: it has not come to that."""

    number: str
    invited_s: float
    due_s: float
    """When it was to be made: a generator that is late measures itself."""
    answered_s: float = 0.0
    agent_rung_s: float = 0.0
    agent_answered_s: float = 0.0
    """When the agent's phone had the ACK: the two are joined from about here on."""
    agent_hung_up_s: float = 0.0
    ended_s: float = 0.0
    refused: int = 0
    """The SIP status that refused the call; 408 when there was no answer at all."""
    agent: str = ""
    rings: int = 0
    """How many agents were rung for it."""


class Callers:
    """Calls the PBX from numbers of its own, and waits for whatever comes, until the PBX hangs up."""

    def __init__(self) -> None:
        self.calls: dict[str, CallMade] = {}
        """By number."""
        self._dialogs: dict[str, tuple[str, CallMade]] = {}
        self._count = 0

    async def open(self, remote: tuple[str, int]) -> None:
        """Open the socket to the PBX's address."""
        self.socket = await SipSocket.open(CALLERS_HOST, remote, self._on_request)
        self._target = f"{remote[0]}:{remote[1]}"

    def call(self, dialled: str, due_s: float) -> None:
        """Call a number of the PBX from a number that has not called before."""
        self._count += 1
        number = f"090{10_000_000 + self._count}"
        uri, branch, call_id = f"sip:{dialled}@{self._target}", self.socket.branch(), f"c{secrets.token_hex(8)}"
        source = f"<sip:{number}@{self.socket.host}>;tag={call_id}"
        made = self.calls[number] = CallMade(number, time.monotonic(), due_s)
        self._dialogs[call_id] = (number, made)
        headers = {
            "From": source,
            "To": f"<{uri}>",
            "Call-ID": call_id,
            "CSeq": "1 INVITE",
            "Contact": self.socket.contact(number),
            "Allow": "INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE",
        }

        def answered(answer: Message | None) -> None:
            if answer is None or is_refusal(answer):
                made.refused, made.ended_s = answer.status if answer else 408, time.monotonic()
                self._dialogs.pop(call_id, None)
            else:
                made.answered_s = time.monotonic()
            if answer is not None:
                self._acknowledge(answer, uri, branch, headers, refused=bool(made.refused))

        self.socket.request(branch, self.socket.compose(f"INVITE {uri}", headers, branch, sdp=True), answered)

    def _acknowledge(self, answer: Message, uri: str, branch: str, sent: dict[str, str], *, refused: bool) -> None:
        # To a 200 it is a request of its own; to a refusal it belongs to the INVITE (RFC 3261, 13.2.2.4 and 17.1.1.3).
        target = uri if refused else uri_of(answer.headers.get("contact", f"<{uri}>"))
        headers = {"From": sent["From"], "To": answer.headers["to"], "Call-ID": sent["Call-ID"], "CSeq": "1 ACK"}
        used = branch if refused else self.socket.branch()
        self.socket.send(self.socket.compose(f"ACK {target}", headers, used))

    def _on_request(self, request: Message) -> None:
        if request.method == "ACK":
            return
        number, made = self._dialogs.get(request.call_id, ("", None))
        has_offer = bool(request.body)
        contact = self.socket.contact(number) if has_offer else ""
        self.socket.send(self.socket.answer(request, "200 OK", tag="c", contact=contact, sdp=has_offer))
        if request.method == "BYE" and made is not None:
            made.ended_s = time.monotonic()
            del self._dialogs[request.call_id]


@dataclass(slots=True)
class _Talk:
    """A call at an agent's phone, from its INVITE on."""

    invite: Message
    agent: str
    caller: str
    answer: bytes
    answered_s: float = 0.0
    ending: asyncio.TimerHandle | None = None


class Agents:
    """Phones that answer at once, talk for `talk_s`, and hang up. None: they talk until `hang_up`.

    `call_of` finds the call of a caller's number, which an agent's phone shows.
    """

    def __init__(self, call_of: Callable[[str], CallMade | None]) -> None:
        self._call_of = call_of
        self._talks: dict[str, _Talk] = {}
        self._next = 1
        self.talk_s: float | None = None
        self.rung: list[tuple[float, str]] = []
        """Each INVITE at a phone: when, and at whose."""
        self.unexpected = 0
        """Calls whose caller is not one of ours."""

    async def open(self, remote: tuple[str, int]) -> None:
        """Open the socket to the PBX's address."""
        self.socket = await SipSocket.open(AGENTS_HOST, remote, self._on_request)
        self._registrar = f"sip:{remote[0]}:{remote[1]}"

    @property
    def talking(self) -> int:
        """How many have answered and not hung up."""
        return sum(1 for talk in self._talks.values() if talk.answered_s)

    async def register(self, accounts: Iterable[tuple[str, str]], *, at_once: int = 20) -> None:
        """Register (user, password), so many at a time. Raises RuntimeError for one that is refused."""
        turn = asyncio.Semaphore(at_once)

        async def one(user: str, password: str) -> None:
            async with turn:
                answer = await self._register(user, "", "1 REGISTER")
                if answer is not None and answer.status == _UNAUTHORISED:
                    challenge, account = answer.headers["www-authenticate"], SipAccount(user, password)
                    proof = proof_of(challenge, account, "REGISTER", self._registrar)
                    answer = await self._register(user, proof, "2 REGISTER")
                if is_refusal(answer):
                    raise RuntimeError(f"{user} could not register: {answer.status if answer else 'no answer'}")

        await asyncio.gather(*(one(user, password) for user, password in accounts))

    def _register(self, user: str, proof: str, sequence: str) -> asyncio.Future[Message | None]:
        done: asyncio.Future[Message | None] = asyncio.get_running_loop().create_future()
        branch, host = self.socket.branch(), self._registrar.removeprefix("sip:")
        headers = {
            "From": f"<sip:{user}@{host}>;tag=r{user}",
            "To": f"<sip:{user}@{host}>",
            "Call-ID": f"r{user}",
            "CSeq": sequence,
            "Contact": self.socket.contact(user),
            "Expires": str(_EXPIRES_S),
        }
        if proof:
            headers["Authorization"] = proof
        data = self.socket.compose(f"REGISTER {self._registrar}", headers, branch)
        self.socket.request(branch, data, done.set_result)
        return done

    def hang_up(self, count: int) -> list[tuple[float, str]]:
        """Have those who have talked longest hang up, so many; return when and who."""
        longest = sorted((talk.answered_s, call_id) for call_id, talk in self._talks.items() if talk.answered_s)
        left = []
        for _, call_id in longest[:count]:
            left.append((time.monotonic(), self._talks[call_id].agent))
            self._end(call_id)
        return left

    def _on_request(self, request: Message) -> None:
        talk = self._talks.get(request.call_id)
        match request.method:
            case "INVITE" if talk is None:
                self._rung(request)
            case "INVITE" if talk is not None and request.sequence == talk.invite.sequence:
                self.socket.send(talk.answer)
            case "ACK":
                self._joined(request.call_id, talk)
            case "CANCEL" | "BYE":
                self.socket.send(self.socket.answer(request, "200 OK", tag="a"))
                self._over(request.call_id)
            case _:
                agent, has_offer = (talk.agent if talk else "a"), bool(request.body)
                contact = self.socket.contact(agent) if has_offer else ""
                self.socket.send(self.socket.answer(request, "200 OK", tag="a", contact=contact, sdp=has_offer))

    def _rung(self, invite: Message) -> None:
        now_s, agent = time.monotonic(), user_of(invite.uri)
        caller = user_of(invite.headers.get("from", ""))
        self.rung.append((now_s, agent))
        made = self._call_of(caller)
        if made is None:
            self.unexpected += 1
        else:
            made.rings += 1
            made.agent_rung_s, made.agent = now_s, agent
        self.socket.send(self.socket.answer(invite, "180 Ringing", tag="a"))
        answer = self.socket.answer(invite, "200 OK", tag="a", contact=self.socket.contact(agent), sdp=True)
        self._talks[invite.call_id] = _Talk(invite, agent, caller, answer)
        self.socket.send(answer)

    def _joined(self, call_id: str, talk: _Talk | None) -> None:
        if talk is None or talk.answered_s:
            return
        talk.answered_s = time.monotonic()
        if (made := self._call_of(talk.caller)) is not None:
            made.agent_answered_s = talk.answered_s
        if self.talk_s is not None:
            talk.ending = asyncio.get_running_loop().call_later(self.talk_s, self._end, call_id)

    def _end(self, call_id: str) -> None:
        """Hang up, as an agent does."""
        talk = self._talks.get(call_id)
        if talk is None:
            return
        headers = talk.invite.headers
        branch = self.socket.branch()
        target = uri_of(headers.get("contact", ""))
        mine = f"{headers['to']};tag=a"
        self._next += 1
        sent = {"From": mine, "To": headers["from"], "Call-ID": call_id, "CSeq": f"{self._next} BYE"}
        self.socket.request(branch, self.socket.compose(f"BYE {target}", sent, branch), lambda _answer: None)
        self._over(call_id)

    def _over(self, call_id: str) -> None:
        talk = self._talks.pop(call_id, None)
        if talk is None:
            return
        if talk.ending is not None:
            talk.ending.cancel()
        if (made := self._call_of(talk.caller)) is not None and made.agent == talk.agent:
            made.agent_hung_up_s = time.monotonic()
