"""SIP messages by hand, over UDP: to say to a proxy what no phone would, and to see what it passes on (RFC 3261)."""

from __future__ import annotations

import asyncio
import itertools
import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

LOCALHOST = "127.0.0.1"
_serial = itertools.count(1)


class Ear(asyncio.DatagramProtocol):
    """A UDP port that asks and answers as it is told. An OPTIONS is answered by itself, with `options`, None: not."""

    def __init__(self, options: int | None) -> None:
        self.options = options
        self._heard: asyncio.Queue[str] = asyncio.Queue()
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        """Keep the way out."""
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Note a message, or answer it at once."""
        text = data.decode()
        if not text.startswith("OPTIONS "):
            self._heard.put_nowait(text)
        elif self.options is not None:
            self.send(answer(text, self.options), addr[1])

    @property
    def port(self) -> int:
        """Where it listens."""
        if self._transport is None:
            raise RuntimeError("not open")
        port: int = self._transport.get_extra_info("sockname")[1]
        return port

    def send(self, text: str, port: int) -> None:
        """Send one message."""
        if self._transport is not None:
            self._transport.sendto(text.encode(), (LOCALHOST, port))

    async def next(self, begins: str, *, timeout_s: float = 5) -> str:
        """Return the next message whose first line begins so; others are let be. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            while True:
                text = await self._heard.get()
                if text.startswith(begins):
                    return text

    @property
    def unread(self) -> list[str]:
        """The first lines of what came and nobody asked for."""
        lines = []
        while not self._heard.empty():
            lines.append(self._heard.get_nowait().partition("\r\n")[0])
        return lines

    def close(self) -> None:
        """Listen no more."""
        if self._transport is not None:
            self._transport.close()


@asynccontextmanager
async def ear(*, options: int | None = 200) -> AsyncIterator[Ear]:
    """Open a port for the length of the block."""
    loop = asyncio.get_running_loop()
    _, protocol = await loop.create_datagram_endpoint(lambda: Ear(options), local_addr=(LOCALHOST, 0))
    try:
        yield protocol
    finally:
        protocol.close()


def request(
    method: str,
    me: Ear,
    uri: str,
    *,
    call_id: str = "",
    cseq: int = 1,
    to_tag: str = "",
    routes: tuple[str, ...] = (),
) -> str:
    """Return a request from `me`; without a Call-ID it is a call of its own."""
    number = next(_serial)
    return "\r\n".join(
        [
            f"{method} {uri} SIP/2.0",
            f"Via: SIP/2.0/UDP {LOCALHOST}:{me.port};branch=z9hG4bK{number};rport",
            *(f"Route: <{route}>" for route in routes),
            "Max-Forwards: 70",
            f"From: <sip:0312345678@{LOCALHOST}:{me.port}>;tag=ours",
            f"To: <{uri}>{f';tag={to_tag}' if to_tag else ''}",
            f"Call-ID: {call_id or f'call-{number}'}",
            f"CSeq: {cseq} {method}",
            f"Contact: <sip:me@{LOCALHOST}:{me.port}>",
            "Content-Length: 0",
            "",
            "",
        ]
    )


def answer(asked: str, status: int, *, contact: str = "") -> str:
    """Return an answer to a request: the headers that have to come back as they were, and a tag of its own."""
    kept = [line for line in asked.split("\r\n") if re.match("(Via|From|To|Call-ID|CSeq|Record-Route):", line)]
    kept = [f"{line};tag=theirs" if line.startswith("To:") and "tag=" not in line else line for line in kept]
    more = [f"Contact: <{contact}>"] if contact else []
    return "\r\n".join([f"SIP/2.0 {status} Said", *kept, *more, "Content-Length: 0", "", ""])


def header(text: str, name: str) -> str:
    """Return the value of a header; empty when it is not there."""
    found = re.search(rf"(?mi)^{name}: (.*?)\r$", text)
    return found[1] if found else ""
