"""As much of AMI as a bench needs: log in, send an action, read events as they come. One connection, no reconnect.

The format: lines of `Key: value`, CR LF, an empty line after each message
(https://docs.asterisk.org/Configuration/Interfaces/Asterisk-Manager-Interface-AMI/AMI-v2-Specification/).
"""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

FAR_END_USER = "far-end"
"""The account on the telephone network of whoever counts and places calls there."""
Message = dict[str, str]
_REFUSED_LETTERS = "\r\n"


class AmiRefusedError(Exception):
    """Asterisk did not take the log-in or the action; the message has its own words."""


@dataclass(frozen=True, slots=True)
class AmiLogin:
    """Where and as whom."""

    host: str
    port: int
    user: str
    secret: str


def far_end_login(carrier_site: Path) -> AmiLogin:
    """Read the account from the site files of the telephone network. Raises OSError, KeyError."""
    lines = (carrier_site / "manager.conf").read_text("utf-8").splitlines()
    fields = dict(line.split(" = ", 1) for line in lines if " = " in line)
    return AmiLogin(fields["bindaddr"], int(fields["port"]), FAR_END_USER, fields["secret"])


class AmiSocket:
    """A context manager: connected and logged in inside the block. Read `messages()` in one task only."""

    def __init__(self, login: AmiLogin, *, events: bool) -> None:
        self._login = login
        self._events = "on" if events else "off"
        self._ids = itertools.count(1)

    async def __aenter__(self) -> Self:
        """Connect and log in. Raises OSError, AmiRefusedError."""
        self._reader, self._writer = await asyncio.open_connection(self._login.host, self._login.port)
        await self._reader.readline()  # the banner
        self.send("Login", Username=self._login.user, Secret=self._login.secret, Events=self._events)
        async for message in self.messages():
            if "Response" in message:
                if message["Response"] != "Success":
                    self._writer.close()
                    raise AmiRefusedError(message.get("Message", "no reason given"))
                return self
        raise AmiRefusedError("the connection was closed at the log-in")

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()

    def send(self, action: str, **fields: str) -> str:
        """Send an action without waiting for its answer; return its id, which the answer repeats.

        Raises ValueError for a line break in a field: what comes after it would be a line of its own.
        """
        action_id = str(next(self._ids))
        lines = {"Action": action, "ActionID": action_id, **fields}
        if any(letter in value for value in lines.values() for letter in _REFUSED_LETTERS):
            raise ValueError(f"a line break in a field of {action}")
        self._writer.write(("".join(f"{key}: {value}\r\n" for key, value in lines.items()) + "\r\n").encode())
        return action_id

    async def messages(self) -> AsyncIterator[Message]:
        """Every answer and event until the connection is closed by the other end."""
        message: Message = {}
        try:
            while line := await self._reader.readline():
                text = line.decode(errors="replace").rstrip("\r\n")
                key, colon, value = text.partition(":")
                if colon:
                    message[key] = value.strip()
                elif not text and message:
                    yield message
                    message = {}
        except ConnectionError:
            return
