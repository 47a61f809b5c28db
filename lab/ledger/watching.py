"""The ledger at work: listens to the carrier, the PBX and the SMS provider, and writes down what it sees."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, TextIO

import aiohttp

from lab.ami_socket import AmiLogin, AmiSocket
from lab.ledger.carrier_ear import CarrierEar
from lab.ledger.facts import Fact, Kind, as_line, e164
from lab.ledger.pbx_ear import PbxEar
from lab.ledger.post_ear import heard

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable
    from pathlib import Path

APP = "ledger"
LOOK_AGAIN_S = 0.05
RECONNECT_S = 0.05


class Ledger:
    """Writes facts to a file that is flushed after each."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def note(self, facts: Iterable[Fact]) -> None:
        """Write facts down."""
        for fact in facts:
            self._out.write(as_line(fact))
        self._out.flush()

    async def watch_carrier(self, login: AmiLogin) -> None:
        """Listen until the carrier is gone. Raises OSError, AmiRefusedError."""
        ear = CarrierEar()
        async with AmiSocket(login, events=True) as ami:
            async for message in ami.messages():
                self.note(ear.hear(message))

    async def watch_pbx(self, ari_url: str, user: str, password: str, *, pbx: str = "") -> None:
        """Listen for ever; a PBX that is gone is noted, and looked for until it is back. `pbx`: see `Fact`."""
        login = aiohttp.encode_basic_auth(user, password)
        async with aiohttp.ClientSession(headers={"Authorization": login}) as session:
            while True:
                with suppress(aiohttp.ClientError, OSError):
                    async with session.ws_connect(
                        f"{ari_url}/events", params={"app": APP, "subscribeAll": "true"}
                    ) as socket:
                        await self._hear(socket, pbx)
                        self.note([Fact(time.time(), Kind.PBX_GONE, pbx=pbx)])
                await asyncio.sleep(RECONNECT_S)

    async def _hear(self, socket: aiohttp.ClientWebSocketResponse[Any], pbx: str) -> None:
        ear = PbxEar()
        async for message in socket:  # Ends when the socket is closed, whichever way.
            if message.type is not aiohttp.WSMsgType.TEXT:
                return
            event = json.loads(message.data)
            self.note(replace(fact, pbx=pbx) for fact in ear.hear(event, _instant_s(event)))

    async def watch_post(self, path: Path) -> None:
        """Read every line that is added to a record of what was written; see `post_ear`."""
        async for line in lines_of(path):
            self.note(heard(json.loads(line)))

    async def watch_blocked(self, path: Path) -> None:
        """Read numbers that asked never to be called, one a line, from the moment at which they are written."""
        async for line in lines_of(path):
            self.note([Fact(time.time(), Kind.BLOCKED, e164(line.strip()))])


async def lines_of(path: Path) -> AsyncIterator[str]:
    """Every whole line of a file, for ever, as it grows; the file may come later."""
    read = 0
    while True:
        text = await asyncio.to_thread(_from, path, read)
        whole = text[: text.rfind(b"\n") + 1]
        read += len(whole)
        for line in whole.decode(errors="replace").splitlines():
            yield line
        await asyncio.sleep(LOOK_AGAIN_S)


def _from(path: Path, offset: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(offset)
            return file.read()
    except FileNotFoundError:
        return b""


def _instant_s(event: dict[str, Any]) -> float:
    """Return when it happened, by the PBX's own clock, which is this machine's."""
    said = event.get("timestamp")
    return datetime.fromisoformat(said).timestamp() if said else time.time()
