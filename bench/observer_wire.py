"""SIP messages, and the socket that they come in by, each stamped by the kernel on its arrival.

A benchmark's phones are no part of what is measured, and their own lateness must not be either: when a packet came in
is told by SO_TIMESTAMPNS (socket(7)), however busy the process that reads it.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

Address = tuple[str, int]

SO_TIMESTAMPNS: Final = 35
"""Linux, asm-generic/socket.h; the control message that it makes has the same number."""
SO_RCVBUFFORCE: Final = 33
"""Linux, asm-generic/socket.h: root may have more than net.core.rmem_max."""
_TIMESPEC: Final = struct.Struct("@ll")
_BUFFER_BYTES: Final = 8 << 20
_LARGEST: Final = 65_535
_AT_ONCE: Final = 200
"""Packets that are read before others get a turn."""


@dataclass(slots=True)
class Message:
    """One SIP message. Names of headers are in lower case; of one that stands twice, the first; all of Via."""

    start: str
    headers: dict[str, str]
    vias: list[str]
    body: str
    at_ns: int
    """When the kernel had it, by CLOCK_REALTIME."""
    source: Address

    @property
    def status(self) -> int:
        """The status of an answer; 0: it is a request."""
        return int(self.start[8:11]) if self.start.startswith("SIP/2.0 ") else 0

    @property
    def method(self) -> str:
        """What is asked, or what was, in an answer."""
        return self.headers["cseq"].partition(" ")[2].strip()

    @property
    def user(self) -> str:
        """The user part of the address that a request is for."""
        return self.start.partition("sip:")[2].partition("@")[0]


def read(packet: bytes, at_ns: int, source: Address) -> Message | None:
    """Return what a packet says; None: nothing (a keep-alive)."""
    head, _, body = packet.decode("utf-8", "replace").partition("\r\n\r\n")
    start, *lines = head.split("\r\n")
    if not lines:
        return None
    headers: dict[str, str] = {}
    vias: list[str] = []
    for line in lines:
        name, _, value = line.partition(":")
        name, value = name.strip().lower(), value.strip()
        if name == "via":
            vias.append(value)
        headers.setdefault(name, value)
    return Message(start, headers, vias, body, at_ns, source)


def answer_to(request: Message, status: str, *, tag: str = "", contact: str = "", body: str = "") -> str:
    """Return an answer; `tag` is put to the To of a request that had none."""
    lines = [f"SIP/2.0 {status}", *(f"Via: {via}" for via in request.vias)]
    to = request.headers["to"]
    lines += [f"From: {request.headers['from']}", f"To: {to};tag={tag}" if tag and not tag_of(to) else f"To: {to}"]
    lines += [f"Call-ID: {request.headers['call-id']}", f"CSeq: {request.headers['cseq']}"]
    return finished(lines, contact=contact, body=body)


def finished(lines: list[str], *, contact: str = "", body: str = "") -> str:
    """Return a message of these lines, with what every one has at its end; `body` is a session description."""
    more = [f"Contact: {contact}"] if contact else []
    more += ["Content-Type: application/sdp"] if body else []
    return "\r\n".join([*lines, *more, f"Content-Length: {len(body)}", "", body])


def tag_of(header: str) -> str:
    """Return the tag of a From or To; empty: it has none."""
    return header.partition(";tag=")[2].partition(";")[0]


def target_of(contact: str) -> str:
    """Return the address inside the angle brackets of a Contact."""
    return contact.partition("<")[2].partition(">")[0] or contact


class Wire:
    """One UDP socket for many phones. `open()` it in a running loop, `close()` it after."""

    def __init__(self, host: str, on_message: Callable[[Message], None]) -> None:
        self._on_message = on_message
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, _BUFFER_BYTES)
        self._socket.bind((host, 0))
        self.address: Address = self._socket.getsockname()
        self.is_closed = False

    def open(self) -> None:
        """Begin to read."""
        asyncio.get_running_loop().add_reader(self._socket.fileno(), self._readable)

    def close(self) -> None:
        """Read no more."""
        self.is_closed = True
        asyncio.get_running_loop().remove_reader(self._socket.fileno())
        self._socket.close()

    def send(self, text: str, to: Address) -> int:
        """Send one packet; return the instant just before it left, in ns by CLOCK_REALTIME, as the stamps are."""
        packet = text.encode()
        at_ns = time.clock_gettime_ns(time.CLOCK_REALTIME)
        self._socket.sendto(packet, to)
        return at_ns

    def _readable(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                packet, control, _, source = self._socket.recvmsg(_LARGEST, socket.CMSG_SPACE(_TIMESPEC.size))
            except BlockingIOError:
                return
            seconds, nanoseconds = _TIMESPEC.unpack(control[0][2])
            message = read(packet, seconds * 1_000_000_000 + nanoseconds, source)
            if message is not None:
                self._on_message(message)


class Sink:
    """A port that sound can be sent to; nobody listens, and the kernel drops what does not fit."""

    def __init__(self, host: str) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 0)
        self._socket.bind((host, 0))
        self.address: Address = self._socket.getsockname()

    def close(self) -> None:
        """Give the port back."""
        self._socket.close()

    def sdp(self) -> str:
        """Return a session description that has G.711 sent here (RFC 4566)."""
        host, port = self.address
        return (
            f"v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\nm=audio {port} RTP/AVP 0 101\r\n"
            "a=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\na=sendrecv\r\n"
        )
