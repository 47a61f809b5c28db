"""The controller as it is, killed at a point that is named: before and after each commit and each call to the outside.

The product has no hook for this. The pieces through which everything goes out are wrapped here, in a process that then
runs `controller run` itself: the database's transactions, the requests to ARI, the SMS gateway. A point's name says
where it is:

    before commit: open_attempt         the rows are written, and not committed
    after commit: open_attempt          committed, and nobody told
    before POST channels (customer)     nothing was sent
    sent POST channels (customer)       the request is on its way, the answer never read
    after POST channels (customer)      the answer was read, and nothing was done about it
    before SMS, after SMS               before the text is handed over, and after it was taken

A process that has imported everything forks a controller for each line of options that it reads, one at a time: a
list of words in JSON. It says on stderr, between the controller's own log, when one was begun and when it has ended.

    --died-at FILE         die by SIGKILL at the first passing of a point that does not stand in the file; it does then
    --changes              ... of those alone at which something is changed, and not only asked
    --third K              ... and of those the first, second or last third (0 to 2), as a checksum parts them
    --nth N                ... not at the first of these passings but at the N-th
    --clock-offset FILE    have a clock that is off by the seconds that stand in the file
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import sys
from contextvars import ContextVar
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zlib import crc32

from aiohttp import ClientWebSocketResponse

from controller.asterisk.ari.client import AriClient
from controller.cli import main as controller_main
from controller.sms.log_gateway import LogGateway
from controller.sms.twilio import TwilioGateway
from controller.store.engine import Database
from controller.system_clock import SystemClock
from lab.controller_process import die_with_parent

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from datetime import datetime

_WORDS = frozenset(
    (
        *(
            "applications",
            "asterisk",
            "answer",
            "bridges",
            "channels",
            "continue",
            "create",
            "dial",
            "dtmf",
            "endpoints",
        ),
        *("eventFilter", "events", "hold", "info", "moh", "mute", "addChannel", "removeChannel", "play", "playbacks"),
        *("record", "ring", "silence", "sounds", "subscription", "variable", "variables"),
    )
)
READY, BEGUN, ENDED = "crash points: ready", "crash points: begun", "crash points: ended"
_sending: ContextVar[str] = ContextVar("sending", default="")


class Points:
    """Kills the process at a point at which none has died yet. Without a file it does nothing."""

    def __init__(
        self, died_at: Path | None, *, only_changes: bool = False, third: int | None = None, nth: int = 1
    ) -> None:
        self._died_at = died_at
        self._third = third
        self._only_changes = only_changes
        self._left = nth
        self._done = set(points_in(died_at)) if died_at is not None else set()

    def pass_by(self, name: str) -> None:
        """Be at a point."""
        if self._died_at is None or name in self._done or not self._counts(name):
            return
        self._left -= 1
        if self._left == 0:
            with self._died_at.open("a", encoding="utf-8") as file:
                file.write(f"{name}\n")
            os.kill(os.getpid(), signal.SIGKILL)

    def _counts(self, name: str) -> bool:
        if self._only_changes and " GET " in name:
            return False
        return self._third is None or crc32(name.encode()) % 3 == self._third


def points_in(died_at: Path) -> list[str]:
    """Return the points at which somebody died, in their order. No file: nobody."""
    return died_at.read_text("utf-8").splitlines() if died_at.exists() else []


def request_name(method: str, uri: str, query: Mapping[str, Any] | None) -> str:
    """Return what kind of request it is: ids are stars, and a call that is placed says to whom."""
    steps = "/".join(step if step in _WORDS else "*" for step in uri.split("/"))
    if method == "POST" and steps in {"channels", "channels/*"}:
        endpoint = str((query or {}).get("endpoint", ""))
        return f"{method} channels ({'customer' if '@' in endpoint else 'agent'})"
    return f"{method} {steps}"


def commit_name(work: Callable[..., Any]) -> str:
    """Return the name of the method whose transaction it is."""
    inside = re.sub(r"\.?<locals>\.?|<lambda>", ".", getattr(work, "__qualname__", type(work).__name__))
    parts = [part for part in inside.split(".") if part and part != "work"]
    return parts[-1].lstrip("_") if parts else "unnamed"


def step_clock(offset: Path) -> None:
    """Have the wall clock be off by the seconds that stand in a file, at every moment anew. Delays stay true."""
    now = SystemClock.now

    def stepped(self: SystemClock) -> datetime:
        return now(self) + timedelta(seconds=float(offset.read_text("utf-8") or 0))

    SystemClock.now = stepped  # type: ignore[method-assign]


def wrap(points: Points) -> None:
    """Put the points around every way out, for the rest of this process's life."""
    _wrap_database(points)
    _wrap_requests(points)
    _wrap_sms(points)


def _wrap_database(points: Points) -> None:
    write = Database.write

    async def written(
        self: Database, work: Callable[..., Awaitable[Any]], *, then: Callable[[Any], None] | None = None
    ) -> Any:
        name = commit_name(work)

        async def worked(connection: Any) -> Any:
            result = await work(connection)
            points.pass_by(f"before commit: {name}")
            return result

        def told(result: Any) -> None:
            points.pass_by(f"after commit: {name}")
            if then is not None:
                then(result)

        return await write(self, worked, then=told)

    Database.write = written  # type: ignore[method-assign]


def _wrap_requests(points: Points) -> None:
    for method_name in ("request", "request_http"):
        setattr(AriClient, method_name, _passed_around(getattr(AriClient, method_name), points))
    send_frame = ClientWebSocketResponse.send_frame

    async def sent(self: ClientWebSocketResponse[Any], *arguments: Any, **named: Any) -> None:
        await send_frame(self, *arguments, **named)
        if name := _sending.get():
            points.pass_by(f"sent {name}")

    ClientWebSocketResponse.send_frame = sent  # type: ignore[method-assign]


def _passed_around(request: Callable[..., Awaitable[Any]], points: Points) -> Callable[..., Awaitable[Any]]:
    async def requested(self: AriClient, method: str, uri: str, **named: Any) -> Any:
        name = request_name(method, uri, named.get("query"))
        points.pass_by(f"before {name}")
        before = _sending.set(name)
        try:
            answer = await request(self, method, uri, **named)
        finally:
            _sending.reset(before)
        points.pass_by(f"after {name}")
        return answer

    return requested


def _wrap_sms(points: Points) -> None:
    for gateway in (LogGateway, TwilioGateway):
        method_name = "send"
        setattr(gateway, method_name, _handed_over(gateway.send, points))


def _handed_over(send: Callable[..., Awaitable[Any]], points: Points) -> Callable[..., Awaitable[Any]]:
    async def handed_over(self: object, *, key: str, sender: str, number: str, text: str) -> Any:
        points.pass_by("before SMS")
        result = await send(self, key=key, sender=sender, number=number, text=text)
        points.pass_by("after SMS")
        return result

    return handed_over


def main(argv: list[str] | None = None) -> int:
    """Fork controllers until stdin is closed; return 0."""
    parser = argparse.ArgumentParser(prog="python -m lab.crash_points")
    parser.add_argument("--settings", type=Path, required=True)
    settings = parser.parse_args(argv).settings
    _say(READY)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            os._exit(_one_life(settings, json.loads(line)))
        _say(BEGUN, pid=child)
        _, status = os.waitpid(child, 0)
        _say(ENDED, status=status)
    return 0


def _one_life(settings: Path, options: list[str]) -> int:
    die_with_parent()
    sys.stdin.close()
    parser = argparse.ArgumentParser()
    parser.add_argument("--died-at", type=Path, default=None)
    parser.add_argument("--changes", action="store_true")
    parser.add_argument("--third", type=int, default=None)
    parser.add_argument("--nth", type=int, default=1)
    parser.add_argument("--clock-offset", type=Path, default=None)
    wanted = parser.parse_args(options)
    if wanted.clock_offset is not None:
        step_clock(wanted.clock_offset)
    wrap(Points(wanted.died_at, only_changes=wanted.changes, third=wanted.third, nth=wanted.nth))
    return controller_main(["run", "--settings", str(settings)])


def _say(event: str, **more: int) -> None:
    sys.stderr.write(json.dumps({"event": event, **more}) + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
