"""A server that speaks AMI's wire format and can be told to misbehave as no real Asterisk does on request."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

GREETING = b"Asterisk Call Manager/11.0.0\r\n"
USER, SECRET = "watcher", "only-for-this-test"


def block(**headers: str) -> bytes:
    """Return one AMI message."""
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode() + b"\r\n"


def device_event(endpoint: str, state: str) -> bytes:
    """Return a DeviceStateChange event."""
    return block(Event="DeviceStateChange", Privilege="call,all", Device=f"PJSIP/{endpoint}", State=state)


def contact_event(endpoint: str, status: str, uri: str = "sip:phone@127.0.0.1:5062") -> bytes:
    """Return a ContactStatus event."""
    return block(
        Event="ContactStatus", URI=uri, ContactStatus=status, AOR=endpoint, EndpointName=endpoint, RoundtripUsec="0"
    )


BOOTED = block(Event="FullyBooted", Privilege="system,all", Uptime="3", LastReload="3", Status="Fully Booted")


class Session:
    """One client: what it sent, and the way to send it anything."""

    def __init__(self, server: AmiServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._server = server
        self._reader = reader
        self._writer = writer
        self.actions: list[dict[str, str]] = []
        self.over = asyncio.Event()

    @property
    def names(self) -> list[str]:
        """The names of the actions so far, in order."""
        return [action["Action"] for action in self.actions]

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._writer.write(data)

    async def flood(self, data: bytes, times: int) -> int:
        """Send `data` again and again with flow control; return how many bytes the client let through."""
        sent = 0
        with suppress(ConnectionError):
            for _ in range(times):
                self._writer.write(data)
                await self._writer.drain()
                sent += len(data)
        return sent

    def close(self) -> None:
        """Close in order."""
        self._writer.close()

    async def serve(self) -> None:
        """Greet and reply until the client is gone."""
        self.send(self._server.greeting)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                text = (await self._reader.readuntil(b"\r\n\r\n")).decode()
                action = dict(line.split(": ", 1) for line in text.strip().split("\r\n"))
                self.actions.append(action)
                if action["Action"] == "Ping":
                    self._server.pings.put_nowait(action)
                if action["Action"] == "QueueLog":
                    self._server.queue_log.put_nowait(action)
                if action["Action"] in self._server.unanswered:
                    self._server.went_silent.set()
                else:
                    self.send(self._server.reply(action))


class AmiServer:
    """Replies as Asterisk 22 does, unless told otherwise before a client comes."""

    def __init__(self) -> None:
        self.greeting = GREETING
        self.after_login = BOOTED
        self.secret = SECRET
        self.unanswered: set[str] = set()
        self.odd_replies: dict[str, bytes] = {}
        self.odd_sent = asyncio.Event()
        self.refused: dict[str, str] = {}
        self.lists: dict[str, list[bytes]] = {}
        self.before_list_ends: dict[str, bytes] = {}
        self.sessions: list[Session] = []
        self.went_silent = asyncio.Event()
        self.pings: asyncio.Queue[dict[str, str]] = asyncio.Queue()
        self.queue_log: asyncio.Queue[dict[str, str]] = asyncio.Queue()
        self.port = 0

    def phone(self, endpoint: str, device: str, contact: str | None, uri: str = "sip:phone@127.0.0.1:5062") -> None:
        """Add a phone to the lists; `contact` is the status of its contact, None when it has none."""
        item = block(Event="DeviceStateChange", ActionID="%", Device=f"PJSIP/{endpoint}", State=device)
        self.lists.setdefault("DeviceStateList", []).append(item)
        item = block(Event="EndpointList", ActionID="%", ObjectName=endpoint, Contacts="", DeviceState="Unavailable")
        self.lists.setdefault("PJSIPShowEndpoints", []).append(item)
        if contact:
            item = block(Event="ContactList", ActionID="%", Endpoint=endpoint, Uri=uri, Status=contact)
            self.lists.setdefault("PJSIPShowContacts", []).append(item)

    def reply(self, action: dict[str, str]) -> bytes:
        """Return what Asterisk says to an action."""
        name, number = action["Action"], action["ActionID"]
        if name == "Login" and action["Secret"] != self.secret:
            return block(Response="Error", ActionID=number, Message="Authentication failed")
        if name in self.odd_replies:
            self.odd_sent.set()
            return self.odd_replies[name].replace(b"%", number.encode())
        if name in self.refused:
            return block(Response="Error", ActionID=number, Message=self.refused[name])
        if name == "PJSIPShowContacts" and name not in self.lists:
            return block(Response="Error", ActionID=number, Message="No Contacts found\n")
        if name in ("DeviceStateList", "PJSIPShowContacts", "PJSIPShowEndpoints"):
            items = b"".join(self.lists.get(name, [])).replace(b"%", number.encode())
            start = block(Response="Success", ActionID=number, EventList="start", Message="A listing follows")
            end = block(Event=f"{name}Complete", ActionID=number, EventList="Complete", ListItems="1")
            return start + items + self.before_list_ends.get(name, b"") + end
        answer = block(Response="Success", ActionID=number, Message="Success")
        return answer + self.after_login if name == "Login" else answer

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client."""
        session = Session(self, reader, writer)
        self.sessions.append(session)
        await session.serve()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        session.over.set()


@asynccontextmanager
async def ami_server() -> AsyncIterator[AmiServer]:
    """Run a server on a free port of 127.0.0.1 for the length of the block."""
    server = AmiServer()
    listener = await asyncio.start_server(server.take, "127.0.0.1", 0)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        for session in server.sessions:
            session.close()
            await session.over.wait()
        await listener.wait_closed()
