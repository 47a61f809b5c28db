"""As much of SIP as a load needs: messages, one UDP socket, requests that are sent again until they are answered.

RFC 3261. A phone of `lab/phone.py` has ears; one of these has none, but a
thousand of them cost a tenth of a core: sound is offered a port of ours that nobody reads.
"""

from __future__ import annotations

import asyncio
import itertools
import socket
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

T1_S: Final = 0.5
"""A request without an answer is sent again after so long, then after twice as long (RFC 3261, 17.1.1.1)."""
TIMEOUT_S: Final = 32.0
_BUFFER_BYTES: Final = 8 << 20
_COMPACT: Final = {"v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact", "l": "content-length"}
_FINAL: Final = 200
_REFUSED: Final = 300


@dataclass(frozen=True, slots=True)
class Message:
    """A request (`method`, `uri`) or an answer (`status`); headers by their names in lower case, the last one counts.

    `vias` are kept as they came: an answer repeats them all.
    """

    method: str
    uri: str
    status: int
    headers: Mapping[str, str]
    vias: tuple[str, ...]
    body: str

    @property
    def call_id(self) -> str:
        """Its Call-ID."""
        return self.headers.get("call-id", "")

    @property
    def sequence(self) -> str:
        """Number and method, as `1 INVITE`."""
        return self.headers.get("cseq", "")


def parsed(data: bytes) -> Message:
    """Read a datagram. Raises ValueError when it is no SIP message."""
    head, _, body = data.decode(errors="replace").partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    headers: dict[str, str] = {}
    vias: list[str] = []
    for line in lines:
        name, _, value = line.partition(":")
        name = name.strip().lower()
        name = _COMPACT.get(name, name)
        if name == "via":
            vias.append(value.strip())
        else:
            headers[name] = value.strip()
    begin, _, rest = first.partition(" ")
    if begin == "SIP/2.0":
        return Message("", "", int(rest[:3]), headers, tuple(vias), body)
    uri, _, version = rest.partition(" ")
    if version != "SIP/2.0":
        raise ValueError("neither a SIP request nor an answer")
    return Message(begin, uri, 0, headers, tuple(vias), body)


def user_of(address: str) -> str:
    """Return the user of a From, To or Contact: `"Name" <sip:user@host>;tag=x` is `user`."""
    return address.partition("sip:")[2].partition("@")[0]


def uri_of(address: str) -> str:
    """Return the URI of a From, To or Contact, without its brackets."""
    inside = address.partition("<")[2].partition(">")[0]
    return inside or address.partition(";")[0].strip()


@dataclass(slots=True)
class _Sent:
    """A request that waits for its final answer."""

    data: bytes
    on_answer: Callable[[Message | None], None]
    timer: asyncio.TimerHandle
    waited_s: float = field(default=0.0)


class SipSocket(asyncio.DatagramProtocol):
    """One UDP socket of phones that all have its address. `on_request` gets what comes from the other side.

    `remote`, where everything is sent, may be changed. Open it with `SipSocket.open`.
    """

    def __init__(self, remote: tuple[str, int], on_request: Callable[[Message], None]) -> None:
        self.remote = remote
        self._on_request = on_request
        self._waiting: dict[str, _Sent] = {}
        self._serial = itertools.count(1)
        self._sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.host, self.port = "", 0
        self.sent_again = 0
        """Requests that had to be sent again: somebody is too slow, or a packet was lost."""

    @classmethod
    async def open(cls, host: str, remote: tuple[str, int], on_request: Callable[[Message], None]) -> SipSocket:
        """Open it on a free port of `host`. Raises OSError."""
        raw = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        # A second's load must fit in: what is dropped here would look like a fault of the PBX.
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
        with suppress(PermissionError):
            raw.setsockopt(socket.SOL_SOCKET, getattr(socket, "SO_RCVBUFFORCE", 33), _BUFFER_BYTES)
        raw.bind((host, 0))
        raw.setblocking(False)
        loop = asyncio.get_running_loop()
        _, protocol = await loop.create_datagram_endpoint(lambda: cls(remote, on_request), sock=raw)
        return protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport, and a port for sound that nobody reads: the kernel throws away what does not fit."""
        # asyncio's own transport of datagrams is no DatagramTransport by its class.
        self._transport = cast("asyncio.DatagramTransport", transport)
        self.host, self.port = transport.get_extra_info("sockname")
        self._sink.bind((self.host, 0))
        self._sink.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)

    def close(self) -> None:
        """Close both ports; what waits for an answer is forgotten."""
        for waiting in self._waiting.values():
            waiting.timer.cancel()
        self._waiting.clear()
        self._transport.close()
        self._sink.close()

    def datagram_received(self, data: bytes, _addr: tuple[str, int]) -> None:
        """Hand an answer to who asked, a request to `on_request`."""
        try:
            message = parsed(data)
        except ValueError:
            return  # a keep-alive
        if not message.status:
            self._on_request(message)
            return
        if message.status < _FINAL:
            # It is being worked on: no need to ask again.
            if (waiting := self._waiting.get(_branch(message))) is not None:
                waiting.timer.cancel()
            return
        if (waiting := self._waiting.pop(_branch(message), None)) is not None:
            waiting.timer.cancel()
            waiting.on_answer(message)

    def send(self, data: bytes) -> None:
        """Send one datagram."""
        self._transport.sendto(data, self.remote)

    def branch(self) -> str:
        """Return a new branch: it names a request and its answers."""
        return f"z9hG4bK{next(self._serial)}"

    def request(self, branch: str, data: bytes, on_answer: Callable[[Message | None], None]) -> None:
        """Send a request until its final answer comes, which `on_answer` gets; None: it never did."""
        self.send(data)
        timer = asyncio.get_running_loop().call_later(T1_S, self._again, branch)
        self._waiting[branch] = _Sent(data, on_answer, timer)

    def _again(self, branch: str) -> None:
        waiting = self._waiting[branch]
        waiting.waited_s += waiting.waited_s or T1_S
        if waiting.waited_s > TIMEOUT_S:
            del self._waiting[branch]
            waiting.on_answer(None)
            return
        self.sent_again += 1
        self.send(waiting.data)
        waiting.timer = asyncio.get_running_loop().call_later(waiting.waited_s, self._again, branch)

    def compose(self, first: str, headers: Mapping[str, str], branch: str, *, sdp: bool = False) -> bytes:
        """Return a request: its first line without the version, our Via, `headers`, and an offer of sound."""
        via = f"Via: SIP/2.0/UDP {self.host}:{self.port};branch={branch};rport"
        return self._joined([f"{first} SIP/2.0", via, "Max-Forwards: 70"], headers, sdp=sdp)

    def answer(self, request: Message, status: str, *, tag: str, contact: str = "", sdp: bool = False) -> bytes:
        """Return an answer to a request; `tag` is ours, `status` as `200 OK`."""
        to = request.headers.get("to", "")
        headers = {
            "From": request.headers.get("from", ""),
            "To": to if ";tag=" in to else f"{to};tag={tag}",
            "Call-ID": request.call_id,
            "CSeq": request.sequence,
        }
        if contact:
            headers |= {"Contact": contact, "Allow": "INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE"}
        return self._joined([f"SIP/2.0 {status}", *(f"Via: {via}" for via in request.vias)], headers, sdp=sdp)

    def contact(self, user: str) -> str:
        """Return the Contact of a phone on this socket."""
        return f"<sip:{user}@{self.host}:{self.port}>"

    def _joined(self, lines: list[str], headers: Mapping[str, str], *, sdp: bool) -> bytes:
        body = self._sound() if sdp else ""
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if body:
            lines.append("Content-Type: application/sdp")
        lines += [f"Content-Length: {len(body)}", "", body]
        return "\r\n".join(lines).encode()

    def _sound(self) -> str:
        port = self._sink.getsockname()[1]
        return (
            f"v=0\r\no=- 1 1 IN IP4 {self.host}\r\ns=-\r\nc=IN IP4 {self.host}\r\nt=0 0\r\n"
            f"m=audio {port} RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
            "a=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n"
        )


def is_refusal(answer: Message | None) -> bool:
    """Tell whether a request was refused, or had no answer at all."""
    return answer is None or answer.status >= _REFUSED


def _branch(message: Message) -> str:
    return message.vias[0].partition("branch=")[2].partition(";")[0] if message.vias else ""
