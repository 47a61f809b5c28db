"""An ear on the loopback interface: SIP and keys as the kernel saw them pass, with the kernel's own stamps.

It takes no part in any call and knows nothing of the controller. Needs root (packet(7)). Stamps are nanoseconds of the
clock on the wall, so they can be compared with the instant at which a promise falls due.
"""

from __future__ import annotations

import re
import socket
import struct
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from types import TracebackType

# Numbers of Linux that Python has no names for.
SO_TIMESTAMPNS: Final = 35
SO_RCVBUFFORCE: Final = 33
SOL_PACKET: Final = 263
PACKET_STATISTICS: Final = 6
ETH_P_IP: Final = 0x0800
ETHERNET: Final = 14
UDP: Final = 17
OUTGOING: Final = 4
"""On loopback each packet passes twice; its second passing is not one (packet(7), sll_pkttype)."""
BUFFER_BYTES: Final = 16 << 20
RTP_HEAD: Final = 12
TELEPHONE_EVENTS: Final = range(96, 128)
EVENT_BYTES: Final = RTP_HEAD + 4
EVENT_ENDS: Final = 0x80
_TIMESPEC: Final = struct.Struct("qq")
_CALL_ID: Final = re.compile(rb"^(?:Call-ID|i)\s*:\s*(\S+)", re.MULTILINE | re.IGNORECASE)
_INVITE: Final = re.compile(rb"^INVITE sips?:([^@;>\s]+)")
_ANSWER: Final = re.compile(rb"^CSeq\s*:\s*\d+\s+INVITE", re.MULTILINE | re.IGNORECASE)
_AUDIO: Final = re.compile(rb"^m=audio (\d+) ", re.MULTILINE)


@dataclass
class WireCall:
    """One call to the watched port. Stamps are ns; 0: not seen."""

    user: str
    """Who was rung: the user part of the request's address."""
    rang_ns: int
    answered_ns: int = 0
    ended_ns: int = 0
    audio_port: int = 0
    """From which whoever answered sends."""
    key_ns: int = 0
    """When their first key was let go."""


@dataclass
class Wire:
    """Listens while its context lasts; `calls` by Call-ID, in the order in which they came."""

    to_port: int
    calls: dict[bytes, WireCall] = field(default_factory=dict)
    lost: int = 0
    """Packets that the kernel had no room for: with any, the figures are not to be trusted."""
    _by_audio: dict[int, WireCall] = field(default_factory=dict)

    def __enter__(self) -> Self:
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_IP))
        self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_BYTES)
        self._socket.bind(("lo", ETH_P_IP))
        self._socket.settimeout(0.2)
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._is_over.set()
        self._thread.join()
        # struct tpacket_stats: packets, drops (packet(7), PACKET_STATISTICS).
        self.lost = struct.unpack("II", self._socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))[1]
        self._socket.close()

    def _listen(self) -> None:
        while not self._is_over.is_set():
            try:
                frame, ancillary, _, sender = self._socket.recvmsg(65_535, 64)
            except TimeoutError:
                continue
            if sender[2] == OUTGOING:
                continue
            stamps = [_TIMESPEC.unpack(data[:16]) for _, kind, data in ancillary if kind == SO_TIMESTAMPNS]
            if stamps:
                self.take(frame, stamps[0][0] * 10**9 + stamps[0][1])

    def take(self, frame: bytes, at_ns: int) -> None:
        """Take note of one Ethernet frame."""
        packet = frame[ETHERNET:]
        head = (packet[0] & 0xF) * 4
        if packet[9] != UDP:
            return
        from_port, to_port = struct.unpack_from("!HH", packet, head)
        content = packet[head + 8 :]
        if self.to_port in (from_port, to_port):
            self._take_sip(content, at_ns, is_coming=to_port == self.to_port)
        elif (call := self._by_audio.get(from_port)) is not None and is_key_up(content):
            call.key_ns = call.key_ns or at_ns

    def _take_sip(self, message: bytes, at_ns: int, *, is_coming: bool) -> None:
        named = _CALL_ID.search(message)
        if named is None:
            return
        call = self.calls.get(named[1])
        invited = _INVITE.match(message) if is_coming else None
        if call is None and invited is not None:
            self.calls[named[1]] = WireCall(invited[1].decode(), at_ns)
        elif call is not None and message.startswith((b"BYE ", b"CANCEL ")):
            call.ended_ns = call.ended_ns or at_ns
        elif call is not None and message.startswith(b"SIP/2.0 200") and _ANSWER.search(message):
            call.answered_ns = call.answered_ns or at_ns
            audio = _AUDIO.search(message)
            if audio is not None:
                call.audio_port = int(audio[1])
                self._by_audio[call.audio_port] = call
        elif call is not None and re.match(rb"SIP/2\.0 [4-6]", message):
            call.ended_ns = call.ended_ns or at_ns


def is_key_up(packet: bytes) -> bool:
    """Tell whether an RTP packet says that a key was let go (RFC 4733, 2.3: the E bit)."""
    return (
        len(packet) == EVENT_BYTES
        and packet[0] >> 6 == 2  # noqa: PLR2004 - RTP's version
        and packet[1] & 0x7F in TELEPHONE_EVENTS
        and bool(packet[RTP_HEAD + 1] & EVENT_ENDS)
    )
