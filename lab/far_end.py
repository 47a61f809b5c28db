"""Customers, callers and agents without phones: how they are set up on the telephone network, and told what to do.

What each number does stands in `lab/carrier-conf/far-end.conf`.
"""

from __future__ import annotations

import asyncio
import itertools
import secrets
import socket
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from controller.provision.files import write_private
from controller.provision.site import CONTROL_HOST
from lab.ami_socket import FAR_END_USER, AmiLogin, AmiSocket

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from controller.provision import Site


class Does(StrEnum):
    """What a customer does who is rung: the digit B of their number."""

    TALK = "1"
    LATER = "2"
    NOT_NEEDED = "3"
    REFUSE = "4"
    LET_RING = "5"
    MACHINE = "6"
    HANG_UP = "7"
    TWO_LINES = "8"
    SILENCE = "9"


class Refusal(StrEnum):
    """How a call is refused: the digit S of a number that begins with 0804."""

    BUSY = "0"
    REJECTED = "1"
    FORBIDDEN = "2"
    CONGESTED = "3"
    UNKNOWN = "4"
    AWAY = "5"


@dataclass
class Numbers:
    """Gives out numbers that nobody has had yet: 100,000 of each kind."""

    first: int = 0

    def __post_init__(self) -> None:
        self._serial = itertools.count(self.first)

    def new(self, does: Does, s: str | int = 0, t: str | int = 0) -> str:
        """Return a number in the national form; `s` and `t` are its digits S and T."""
        return f"080{does}{s}{t}{next(self._serial) % 100_000:05}"


@dataclass(frozen=True, slots=True)
class FarEnd:
    """The telephone network's side that is told what to do, by AMI."""

    login: AmiLogin
    company: str
    """The number that callers ring."""
    _ami: AmiSocket

    def call_in(self, number: str) -> None:
        """Have the line `number` ring the company and ask to be called back on the number that it shows."""
        self._ami.send(
            "Originate",
            Channel=f"PJSIP/{self.company}@pbx",
            ChannelId=f"caller-{number}-{secrets.token_hex(4)}",
            CallerID=number,
            Context="at-caller",
            Exten="s",
            Priority="1",
            Timeout="30000",
            Async="true",
            Variable=f"__NUMBER={number}",
        )


def furnish(site: Site, *more: Site) -> AmiLogin:
    """Write the site files that give every agent a desk without a phone, and AMI an account; return that account.

    `more` are the Asterisks beside `site` on the same telephone network, with their agents. Raises ProvisionError,
    OSError.
    """
    secret = secrets.token_urlsafe(24)
    port = _free_port()
    write_private(
        site.carrier_site / "manager.conf",
        f"enabled = yes\nwebenabled = no\nport = {port}\nbindaddr = {CONTROL_HOST}\ntimestampevents = yes\n\n"
        f"[{FAR_END_USER}]\nsecret = {secret}\nread = call,user\nwrite = originate,system\nwritetimeout = 5000\n",
    )
    write_private(site.carrier_site / "pjsip-desks.conf", _desks(site, *more))
    return AmiLogin(CONTROL_HOST, port, FAR_END_USER, secret)


@asynccontextmanager
async def far_end(login: AmiLogin, company: str) -> AsyncIterator[FarEnd]:
    """Be connected with the telephone network for the length of the block. Raises OSError, AmiRefusedError."""
    async with AmiSocket(login, events=False) as ami:
        answers = asyncio.create_task(_drained(ami))
        try:
            yield FarEnd(login, company, ami)
        finally:
            answers.cancel()
            await asyncio.gather(answers, return_exceptions=True)


async def _drained(ami: AmiSocket) -> None:
    """Read answers away: whether a call came is seen by the ledger."""
    async for _ in ami.messages():
        pass


def _desks(*sites: Site) -> str:
    """Return one endpoint for all desks, and a registration for each agent, with the Asterisk they belong to."""
    host = sites[0].host
    text = f"[desk](desk-line)\nmedia_address = {host}\nbind_rtp_to_media_address = yes\n\n"
    for site in sites:
        pbx = f"sip:{site.host}:{site.ports.sip}"
        for agent in site.agents:
            text += (
                f"[{agent.user}](account)\nusername = {agent.user}\npassword = {agent.password}\n\n"
                f"[{agent.user}](desk-registration)\noutbound_auth = {agent.user}\ncontact_user = {agent.user}\n"
                f"server_uri = {pbx}\nclient_uri = sip:{agent.user}@{site.host}:{site.ports.sip}\n\n"
            )
    return text


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((CONTROL_HOST, 0))
        port: int = probe.getsockname()[1]
        return port
