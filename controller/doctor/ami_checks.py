"""Looks at the PBX through AMI: the login, what the account may do, the dialplan, the clock.

A few read-only actions on a plain connection (https://docs.asterisk.org/Configuration/Interfaces/Asterisk-Manager-Interface-AMI/).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.doctor.conf_rules import CONTEXTS
from controller.doctor.findings import Finding, fault, ok, warning

if TYPE_CHECKING:
    from collections.abc import Callable

    from controller.settings import Asterisk, Settings

CLOCKS_APART_LIMIT_S = 2.0

_TIMEOUT_S = 5.0
_NEVER_OURS = ("Command", "Originate", "Redirect", "Setvar", "UpdateConfig")


class _NotAmiError(Exception):
    """What answers does not speak AMI."""


@dataclass(frozen=True, slots=True)
class _Session:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def ask(self, action: str, **headers: str) -> dict[str, str]:
        """Send one action; return the headers of its response. Events in between are passed over."""
        lines = [f"Action: {action}", *(f"{key}: {value}" for key, value in headers.items())]
        self.writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        await self.writer.drain()
        while True:
            message = await self._message()
            if "Response" in message:
                return message

    async def _message(self) -> dict[str, str]:
        try:
            raw = await self.reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            raise _NotAmiError("the connection was closed") from None
        except asyncio.LimitOverrunError:
            raise _NotAmiError("the answer has no end") from None
        pairs = (line.partition(":") for line in raw.decode(errors="replace").split("\r\n"))
        return {key.strip(): value.strip() for key, sign, value in pairs if sign}


async def check_ami(settings: Settings, asterisk: Asterisk, now_s: Callable[[], float]) -> list[Finding]:
    """Return what AMI of one Asterisk shows. `now_s` is the controller's clock, in seconds since 1970 (UTC)."""
    host, port = asterisk.ami_host, asterisk.ami_port
    where, password = f"{host}:{port}", settings.ami_password_of(asterisk.name)
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                return await _look(_Session(reader, writer), asterisk.ami_username, password, where, now_s)
            finally:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
    except TimeoutError:
        return [
            fault(
                "AMI",
                f"{where} takes longer than {_TIMEOUT_S:g} s to answer",
                "check asterisk.ami_host, ami_port and the network",
            )
        ]
    except OSError as error:
        return [
            fault(
                "AMI",
                f"cannot connect to {where}: {_reason(error)}",
                "start Asterisk; check asterisk.ami_port and manager.conf",
            )
        ]
    except _NotAmiError as error:
        return [fault("AMI", f"{where} does not speak AMI: {error}", "check asterisk.ami_host and ami_port")]


async def _look(session: _Session, username: str, secret: str, where: str, now_s: Callable[[], float]) -> list[Finding]:
    banner = await session.reader.readline()
    if not banner.startswith(b"Asterisk Call Manager/"):
        raise _NotAmiError("it greets otherwise")
    answer = await session.ask("Login", Username=username, Secret=secret, Events="off")
    if answer["Response"] != "Success":
        return [
            fault(
                "AMI",
                f"{where} refuses {username}: {answer.get('Message', 'no reason given')}",
                "ORIKAESHI_AMI_PASSWORD must be the secret in manager.conf, asterisk.ami_username its section",
            )
        ]
    return [
        ok("AMI", f"answers at {where}, password accepted"),
        await _rights(session, username),
        await _clock(session, now_s),
        await _contexts(session),
    ]


async def _rights(session: _Session, username: str) -> Finding:
    allowed = await session.ask("ListCommands")
    too_much = [name for name in _NEVER_OURS if name in allowed]
    if too_much:
        return fault(
            "AMI rights",
            f"{username} may do {', '.join(too_much)}: whoever learns the password can place calls or run programs",
            "write = system,reporting,agent in manager.conf is enough",
        )
    missing = [name for name in ("DeviceStateList", "PJSIPShowContacts", "QueueLog") if name not in allowed]
    if missing:
        return fault(
            "AMI rights",
            f"{username} may not do {', '.join(missing)}",
            "write = system,reporting,agent in manager.conf",
        )
    return ok("AMI rights", f"{username} can read and write the queue log, and neither place calls nor run commands")


async def _clock(session: _Session, now_s: Callable[[], float]) -> Finding:
    before_s = now_s()
    answer = await session.ask("Ping")
    after_s = now_s()
    try:
        theirs_s = float(answer["Timestamp"])
    except (KeyError, ValueError):
        return warning("clock", "Asterisk does not tell its time", "compare the clocks by hand")
    # The truth lies between sending and receiving.
    apart_s = max(before_s - theirs_s, theirs_s - after_s, 0.0)
    if apart_s > CLOCKS_APART_LIMIT_S:
        return fault(
            "clock",
            f"the clocks of PBX and controller are {apart_s:.1f} s apart",
            "run NTP (chrony, timesyncd) on both",
        )
    return ok("clock", f"PBX and controller agree within {CLOCKS_APART_LIMIT_S:g} s")


async def _contexts(session: _Session) -> Finding:
    missing = []
    for name in CONTEXTS:
        answer = await session.ask("ShowDialPlan", Context=name)
        if answer["Response"] == "Success":
            continue
        if "permission" in answer.get("Message", "").lower():
            return warning(
                "dialplan",
                "may not be looked at",
                "write = system,reporting,agent in manager.conf, or give --asterisk-conf",
            )
        missing.append(name)
    if missing:
        return fault(
            "dialplan",
            f"no context {', '.join(missing)}",
            "include Orikaeshi's extensions.conf, then: asterisk -rx 'dialplan reload'",
        )
    return ok("dialplan", f"all {len(CONTEXTS)} contexts are there")


def _reason(error: OSError) -> str:
    # asyncio words it "Connect call failed"; the number says what it was. A name that is not known has a negative one.
    return os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror or type(error).__name__
