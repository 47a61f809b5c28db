"""`python -m lab.smsc --port 2775`: an SMS centre as a process. Orders come as JSON lines on standard input.

    {"reply": "1", "number": "819012345678", "to": "81312345678"}
    {"faults": ["throttled", "silent"]}
    {"receipt": "UNDELIV"}          what follows each text from now on; null: nothing
    {"cut": true}

It says on standard output, as JSON lines, on which port it is, each session that was opened, and
each text that it took.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from lab.smsc.centre import Smsc
from lab.smsc.orders import Fault


async def main() -> None:
    """Run until standard input ends."""
    parser = argparse.ArgumentParser(prog="python -m lab.smsc")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--system-id", default="lab")
    parser.add_argument("--password", default="secret")
    parser.add_argument("--record", type=Path, help="a file for each submit_sm, as JSON lines")
    parser.add_argument("--receipt", default="DELIVRD", help="what becomes of each text")
    asked = parser.parse_args()
    centre = Smsc((asked.system_id, asked.password), port=asked.port, record=asked.record)
    centre.orders.receipt = asked.receipt
    async with centre:
        _say({"port": centre.port})
        telling = asyncio.gather(_tell(centre), _tell_bound(centre))
        try:
            await _follow(centre)
        finally:
            telling.cancel()
            with suppress(asyncio.CancelledError):
                await telling


async def _tell(centre: Smsc) -> None:
    told = 0
    while True:
        await centre.arrived.get()
        for number, text in centre.texts[told:]:
            _say({"number": number, "text": text})
        told = len(centre.texts)


async def _tell_bound(centre: Smsc) -> None:
    while True:
        await centre.bound.get()
        _say({"bound": True})


async def _follow(centre: Smsc) -> None:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        try:
            _obey(centre, json.loads(line))
        except (LookupError, TypeError, ValueError) as error:
            _say({"error": f"{type(error).__name__}: {error}"})


def _obey(centre: Smsc, order: dict[str, Any]) -> None:
    if "reply" in order:
        centre.reply(order["number"], order["to"], order["reply"])
    if "faults" in order:
        centre.orders.faults.extend(Fault(name) for name in order["faults"])
    if "receipt" in order:
        centre.orders.receipt = order["receipt"]
    if order.get("cut"):
        centre.cut()


def _say(line: dict[str, Any]) -> None:
    print(json.dumps(line, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
