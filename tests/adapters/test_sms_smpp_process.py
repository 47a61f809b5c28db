"""The SMS centre as a process of its own: killed, started again, told what to do, and its record."""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from structlog import get_logger

from controller.domain.sms import Delivery
from controller.ports.sms import Accepted, IncomingSms, Receipt
from controller.sms.smpp import SmppGateway
from controller.sms.smpp_account import SmppAccount
from controller.system_clock import SystemClock
from lab.smsc.centre import LOCALHOST
from tests.adapters.smpp_link import NUMBER, OUR_ADDRESS, SENDER, THEIR_ADDRESS, Book

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


class Process:
    """A centre that runs."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def says(self) -> dict[str, Any]:
        """Return its next line."""
        assert self._process.stdout is not None
        line: dict[str, Any] = json.loads(await self._process.stdout.readline())
        return line

    async def order(self, **order: Any) -> None:
        """Tell it what to do."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        await self._process.stdin.drain()

    async def kill(self) -> None:
        """Kill it, with -9."""
        if self._process.returncode is None:
            self._process.kill()
            await self._process.wait()


@asynccontextmanager
async def centre_process(*arguments: str) -> AsyncIterator[Process]:
    """Run a centre."""
    started = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "lab.smsc", *arguments), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    process = Process(started)
    try:
        yield process
    finally:
        await process.kill()


async def sent(gateway: SmppGateway, text: str) -> None:
    """Send a text as soon as there is a session."""
    await gateway.ready()
    assert await gateway.send(key="k", sender=SENDER, number=NUMBER, text=text) == Accepted("1000")


async def test_a_centre_that_is_killed_and_comes_back_gets_the_texts_and_tells_what_became_of_them(
    tmp_path: Path,
) -> None:
    """By the machine's own clock, with the pauses that it takes."""
    book, record = Book(), tmp_path / "record.jsonl"
    async with centre_process("--record", str(record)) as centre:
        port = int((await centre.says())["port"])
        gateway = SmppGateway(
            SmppAccount(LOCALHOST, port, "lab", "secret"),
            on_receipt=book.on_receipt,
            on_reply=book.on_reply,
            clock=SystemClock(),
            log=get_logger(),
        )
        running = asyncio.ensure_future(gateway.run())
        assert await centre.says() == {"bound": True}
        await sent(gateway, "折り返し")
        told = await book.came.get()
        assert isinstance(told, Receipt)
        assert (told.reference, told.delivery) == ("1000", Delivery.DELIVERED)
        await centre.order(reply="1", number=THEIR_ADDRESS, to=OUR_ADDRESS)
        reply = await book.came.get()
        assert isinstance(reply, IncomingSms)
        assert (reply.number, reply.text) == (NUMBER, "1")
        assert await centre.says() == {"number": THEIR_ADDRESS, "text": "折り返し"}
        await centre.order(faults=["no such fault"])
        assert "no such fault" in (await centre.says())["error"]
        await centre.kill()
    async with centre_process("--port", str(port), "--record", str(record), "--receipt", "UNDELIV") as again:
        assert await again.says() == {"port": port}
        assert await again.says() == {"bound": True}
        await sent(gateway, "もう一度")
        told = await book.came.get()
        assert isinstance(told, Receipt)
        assert told.delivery is Delivery.UNDELIVERED
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    lines = [json.loads(line) for line in (await asyncio.to_thread(record.read_text, "utf-8")).splitlines()]
    assert [line["text"] for line in lines] == ["折り返し", "もう一度"]
