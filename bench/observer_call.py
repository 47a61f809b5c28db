"""One call of a benchmark's phone, in either direction."""

from __future__ import annotations

import asyncio
from enum import Enum
from typing import TYPE_CHECKING

from bench.observer_wire import Message, answer_to, target_of

if TYPE_CHECKING:
    from bench.observer import Phones

_FIRST_FINAL, _FIRST_REFUSAL = 200, 300


class _State(Enum):
    DIALLING = "dialling"
    RINGING = "ringing"
    UP = "up"
    ENDED = "ended"


class PhoneCall:
    """A call that a phone made (`dial`), or that came to it (`invite`)."""

    def __init__(self, phones: Phones, user: str, *, invite: Message | None = None) -> None:
        """Nothing is sent yet; `user` is the phone."""
        self.user = user
        self.began_ns = 0
        """When its INVITE passed the phone: left, or came in (the kernel's stamp)."""
        self.answered: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
        """When the 200 passed, in ns by CLOCK_REALTIME; None: it ended without one."""
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        """Why it ended: `hung up`, `was hung up`, or the PBX's answer, as `503 Service Unavailable`."""
        self._phones = phones
        self._invite = invite
        self._branch, self._sequence = phones.fresh(), 1
        self._tag = phones.fresh()
        self._reply = ""
        self._is_acknowledged = False
        if invite is None:
            self.id = f"{phones.fresh()}@bench"
            self._state = _State.DIALLING
            self._local, self._remote, self._target = f"<sip:{user}@bench>;tag={self._tag}", "", ""
        else:
            self.id = invite.headers["call-id"]
            self.began_ns = invite.at_ns
            self._state = _State.RINGING
            self._local = f"{invite.headers['to']};tag={self._tag}"
            self._remote, self._target = invite.headers["from"], target_of(invite.headers["contact"])

    @property
    def is_up(self) -> bool:
        """Whether it was answered and goes on."""
        return self._state is _State.UP

    def dial(self, number: str) -> None:
        """Send the INVITE of a call that the phone makes."""
        self._target = f"sip:{number}@{self._phones.pbx[0]}"
        self._remote = f"<{self._target}>"
        text = self._request("INVITE", self._branch, body=self._phones.sink.sdp(), contact=self._contact)
        self.began_ns = self._phones.ask(text, self._branch, self._on_invite_answer)

    def ring(self) -> None:
        """Say that it rings."""
        self._answer("180 Ringing")

    def answer(self) -> None:
        """Take it."""
        self._state = _State.UP
        body = self._phones.sink.sdp()
        self._reply = answer_to(self._invited, "200 OK", tag=self._tag, contact=self._contact, body=body)
        self.answered.set_result(self._phones.insist(self._reply, lambda: self.is_up and not self._is_acknowledged))

    def refuse(self, status: str = "486 Busy Here") -> None:
        """Do not take it."""
        self._answer(status)
        self._end(status)

    def hang_up(self) -> int:
        """End it, whichever way it is to be ended now; return when the packet left, in ns by CLOCK_REALTIME."""
        if self._state is _State.UP:
            self._sequence += 1
            branch = self._phones.fresh()
            at_ns = self._phones.ask(self._request("BYE", branch), branch, lambda _answer: None)
            self._end("hung up")
            return at_ns
        if self._state is _State.DIALLING:
            # Its 487 ends it. An answer that crosses it is hung up then.
            return self._phones.wire.send(self._request("CANCEL", self._branch), self._phones.pbx)
        if self._state is _State.RINGING:
            self.refuse()
        return 0

    def asked(self, request: Message) -> None:
        """Take a request of the PBX within this call."""
        match request.method:
            case "ACK":
                self._is_acknowledged = True
            case "BYE":
                self._phones.wire.send(answer_to(request, "200 OK"), self._phones.pbx)
                self._end("was hung up")
            case "CANCEL" if self._state is _State.RINGING:
                self._phones.wire.send(answer_to(request, "200 OK", tag=self._tag), self._phones.pbx)
                self.refuse("487 Request Terminated")
            case "INVITE" if self._invite is not None and request.headers["cseq"] == self._invite.headers["cseq"]:
                if self._reply:
                    self._phones.wire.send(self._reply, self._phones.pbx)
            case "INVITE" | "UPDATE" if request.body:
                body = self._phones.sink.sdp()
                self._phones.wire.send(answer_to(request, "200 OK", contact=self._contact, body=body), self._phones.pbx)
            case _:
                self._phones.wire.send(answer_to(request, "200 OK", contact=self._contact), self._phones.pbx)

    def acknowledge(self, answer: Message) -> None:
        """Send the ACK of a final answer to our INVITE; of a refusal it is part of the same transaction."""
        branch = self._branch if answer.status >= _FIRST_REFUSAL else self._phones.fresh()
        self._phones.wire.send(self._request("ACK", branch), self._phones.pbx)

    @property
    def _contact(self) -> str:
        return self._phones.contact(self.user)

    @property
    def _invited(self) -> Message:
        if self._invite is None:
            raise TypeError("only a call that came in can be answered")
        return self._invite

    def _answer(self, status: str) -> None:
        self._reply = answer_to(self._invited, status, tag=self._tag, contact=self._contact)
        self._phones.wire.send(self._reply, self._phones.pbx)

    def _request(self, method: str, branch: str, *, body: str = "", contact: str = "") -> str:
        lines = [f"From: {self._local}", f"To: {self._remote}", f"Call-ID: {self.id}"]
        # ACK and CANCEL have the number of their INVITE, which is the first of ours.
        number = 1 if method in {"ACK", "CANCEL"} else self._sequence
        lines.append(f"CSeq: {number} {method}")
        return self._phones.request(method, self._target, branch, *lines, body=body, contact=contact)

    def _on_invite_answer(self, answer: Message) -> None:
        if answer.status < _FIRST_FINAL:
            return
        self._remote = answer.headers["to"]
        if answer.status < _FIRST_REFUSAL:
            self._target = target_of(answer.headers["contact"])
        self.acknowledge(answer)
        if answer.status >= _FIRST_REFUSAL:
            self._end(answer.start.removeprefix("SIP/2.0 "))
        elif self._state is _State.DIALLING:
            self._state = _State.UP
            self.answered.set_result(answer.at_ns)

    def _end(self, why: str) -> None:
        self._state = _State.ENDED
        self._phones.calls.pop(self.id, None)
        if not self.answered.done():
            self.answered.set_result(None)
        if not self.ended.done():
            self.ended.set_result(why)
