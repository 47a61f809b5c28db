"""What others see of a controller: the telephone network each call that comes to it, an admin what a command says."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
import socket
import sqlite3
import sys
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from controller.provision.files import write_private
from controller.provision.site import CONTROL_HOST
from lab.ami_socket import FAR_END_USER, AmiSocket, far_end_login
from tests.asterisk.sentences import dialled, promise_to

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from controller.provision import Site
    from tests.asterisk.floor import Floor

LEAVES_A_NUMBER = "0312345601"
"""Dialled to leave a number without waiting."""

_SILENCE = "digit-pause"
"""The greeting: what is tested comes after it."""


def way_in(number: str, queue: str) -> str:
    """Return an entrance for the settings that takes a number for `queue` at once."""
    return (
        f'[[entrances]]\nname = "to-{queue}"\ndialled_numbers = ["{number}"]\nlanguage = "en"\n'
        f'welcome = "{_SILENCE}"\nleads_to = {{ callback = "{queue}" }}\n'
    )


# ---------------------------------------------------------------- the telephone network


@dataclass(frozen=True)
class Invite:
    """A call from the company that came to the telephone network."""

    at_s: float
    """By the clock of the network, seconds since 1970."""
    number: str
    """As it was dialled."""
    shown: str
    """The number that it shows."""


class Network:
    """The telephone network's own count of what comes from the company."""

    def __init__(self, ami: AmiSocket) -> None:
        self._ami = ami
        self._invites: list[Invite] = []
        self._news = asyncio.Condition()
        self._answered: set[str] = set()

    async def to(self, number: str) -> list[Invite]:
        """Return the calls to a number so far, without one missing that has come by now."""
        ping = self._ami.send("Ping")
        async with asyncio.timeout(10), self._news:
            await self._news.wait_for(lambda: ping in self._answered)
        return self._calls(number)

    async def reached(self, *numbers: str, timeout_s: float = 30) -> list[Invite]:
        """Wait until each of these numbers was called; return all calls to them, in order of time."""
        async with asyncio.timeout(timeout_s), self._news:
            await self._news.wait_for(lambda: all(self._calls(number) for number in numbers))
        return sorted((one for number in numbers for one in self._calls(number)), key=lambda one: one.at_s)

    async def follow(self) -> None:
        """Take in what the network tells, for ever."""
        async for message in self._ami.messages():
            async with self._news:
                if "Response" in message:
                    self._answered.add(message.get("ActionID", ""))
                elif _is_from_company(message):
                    at_s = float(message["Timestamp"])
                    self._invites.append(Invite(at_s, message["Exten"], message["CallerIDNum"]))
                self._news.notify_all()

    def _calls(self, number: str) -> list[Invite]:
        return [one for one in self._invites if one.number == number]


def let_count(site: Site) -> None:
    """Write the account by which the telephone network's calls are counted; before it starts."""
    with socket.socket() as probe:
        probe.bind((CONTROL_HOST, 0))
        port = probe.getsockname()[1]
    write_private(
        site.carrier_site / "manager.conf",
        f"enabled = yes\nwebenabled = no\nport = {port}\nbindaddr = {CONTROL_HOST}\ntimestampevents = yes\n\n"
        f"[{FAR_END_USER}]\nsecret = {secrets.token_urlsafe(24)}\nread = call\nwrite = call\nwritetimeout = 5000\n",
    )


@asynccontextmanager
async def watched(site: Site) -> AsyncIterator[Network]:
    """Count the calls that come to the telephone network, for the length of the block."""
    async with AmiSocket(far_end_login(site.carrier_site), events=True) as ami:
        network = Network(ami)
        following = asyncio.create_task(network.follow())
        try:
            yield network
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)


def _is_from_company(message: Mapping[str, str]) -> bool:
    # What the network itself sends to the company has a channel on the same trunk, and is in no extension.
    is_new = message.get("Event") == "Newchannel" and message.get("Context") == "from-company"
    return is_new and message.get("Exten", "") not in {"", "s"}


# ---------------------------------------------------------------- an admin


@dataclass(frozen=True)
class Said:
    """What a command said."""

    exit_code: int
    text: str
    """On either channel, as lines."""

    @property
    def data(self) -> Any:
        """What it printed with --json."""
        return json.loads(self.text)


async def command(floor: Floor, *words: str) -> Said:
    """Run `controller WORDS`, a process of its own, with the site's settings."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "controller", *words, "--settings", str(floor.stack.settings)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return Said(process.returncode or 0, said.decode().strip())


@dataclass(frozen=True)
class Story:
    """What `controller explain` tells of a promise."""

    data: Mapping[str, Any]

    @property
    def promise(self) -> Mapping[str, Any]:
        """The promise itself."""
        promise: Mapping[str, Any] = self.data["promise"]
        return promise

    @property
    def lines(self) -> list[str]:
        """Each step, with its reason behind a bar."""
        return [f"{line['what']} | {line['why']}" for line in self.data["timeline"]]

    @property
    def comes_next(self) -> list[str]:
        """What is told of what comes next."""
        return [str(line) for line in self.data["next"]["text"]]

    @property
    def not_before(self) -> datetime:
        """When it is due; only of one that waits."""
        return datetime.fromisoformat(self.data["next"]["not_before"])

    def tells(self, *beginnings: str) -> bool:
        """Tell whether there are lines that begin so, in this order."""
        lines = iter(self.lines)
        return all(any(line.startswith(beginning) for line in lines) for beginning in beginnings)


STATE = "select id from promises where id = ? and state = ?"
LAST_OUTCOME = "select id from promises where id = ? and last_outcome = ?"
STEP = "select promise_id from promise_events where promise_id = ? and event = ?"


async def explained(floor: Floor, promise_id: str, what: str, value: str, *, timeout_s: float = 60) -> Story:
    """Wait until the database has `value` for `what` (one of the three above); return what is told of the promise."""
    async with asyncio.timeout(timeout_s):
        while not floor.rows(what, promise_id, value):
            await floor.stack.pbx.cli("core waitfullybooted")  # Nothing tells of it: this gives it time.
    return Story((await command(floor, "explain", promise_id, "--json")).data)


# ---------------------------------------------------------------- a machine that stands still


async def frozen(floor: Floor) -> int:
    """Stop the controller where it stands, and return its process id.

    Not in the middle of writing: the file is locked then, and nobody else gets at it. Then it goes on, for a bit.
    """
    pid = floor.stack.controller.pid
    assert pid is not None
    async with asyncio.timeout(20):
        while True:
            stop(pid)
            if may_be_written(floor):
                return pid
            os.kill(pid, signal.SIGCONT)
            await floor.stack.pbx.cli("core waitfullybooted")


def stop(pid: int) -> None:
    """Stop a process, and return once it stands still, which is at once."""
    os.kill(pid, signal.SIGSTOP)
    os.waitid(os.P_PID, pid, os.WSTOPPED | os.WNOWAIT)


def may_be_written(floor: Floor) -> bool:
    """Tell whether nobody is writing to the database at the moment."""
    with closing(sqlite3.connect(floor.stack.site.home / "orikaeshi.db", timeout=0, isolation_level=None)) as database:
        try:
            database.execute("begin immediate")
        except sqlite3.OperationalError:
            return False
        database.execute("rollback")
        return True


# ---------------------------------------------------------------- customers


async def wants_a_call(floor: Floor, number: str, way: str = LEAVES_A_NUMBER) -> str:
    """Have somebody ring and key the number of another line; return the promise's id."""
    clerk = floor.customers[-1]  # may hold several calls at once
    call = await dialled(clerk, way, f"2{number}#1")
    promise = await promise_to(floor, "+81" + number[1:])
    await call.hang_up()
    await call.ended
    return str(promise["id"])
