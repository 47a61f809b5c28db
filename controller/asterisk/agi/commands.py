"""AGI commands, one after the other: panoramisk's FastAGI protocol, with a guard for each of its faults.

Only panoramisk's `Request` is used: it writes a command and reads its answer. Its `Application` spins for ever on a
connection that closes before the empty line, reads without limits, and finds no script that has parameters. `Request`
alone waits for ever, takes an end of file for an answer, and is out of step after a command that was cut short.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from panoramisk.fast_agi import Request

from controller.domain.digits import KEYS
from controller.ports.calls import CallerHungUp, PbxUnavailableError

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter

ANSWER_TIMEOUT_S = 5.0
"""How long Asterisk may take for a command that does not wait for anybody."""
OK, DEAD_CHANNEL = 200, 511

_KEY_OF_CODE = {str(ord(key)): key for key in KEYS}


@dataclass(frozen=True, slots=True)
class Answer:
    """What Asterisk said to a command that it carried out: `200 result=RESULT (NOTE) endpos=END`."""

    result: str
    note: str = ""
    end_position: int = 0

    @property
    def key(self) -> str:
        """The key that ended a command, from its ASCII code; "" for none."""
        return _KEY_OF_CODE.get(self.result, "")


def quoted(text: str) -> str:
    """Return `text` as one argument of a command. Raises ValueError for a line break: it would begin a command."""
    if not text.isprintable():
        raise ValueError("an argument of an AGI command holds a character that cannot be printed: remove it")
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


class AgiCommands:
    """One connection's commands, after its environment has been read."""

    def __init__(self, reader: StreamReader, writer: StreamWriter, call_id: str) -> None:
        self._request = Request(None, {}, reader, writer)
        self._reader = reader
        self._call_id = call_id
        self._gone = False
        self._broken: str | None = None

    @property
    def usable(self) -> bool:
        """Whether a further command makes sense."""
        return not self._gone and self._broken is None

    async def send(self, command: str, *, timeout_s: float = ANSWER_TIMEOUT_S) -> Answer:
        """Send one command and return its answer.

        Raises CallerHungUp once the channel is gone or the connection closed, and PbxUnavailableError for an answer
        that does not come, cannot be read or refuses; then nothing more is sent.
        """
        if self._gone:
            raise CallerHungUp(self._call_id)
        if self._broken is not None:
            raise PbxUnavailableError(self._broken)
        what = command.partition('"')[0].strip()
        self._broken = f"{what} was cut short"  # Cancelled, its answer would be taken for that of the next.
        try:
            async with asyncio.timeout(timeout_s):
                told: dict[str, Any] = await self._request.send_command(command)
        except TimeoutError:
            self._broken = f"no answer to {what} within {timeout_s:g} s"
            raise PbxUnavailableError(self._broken) from None
        except ConnectionError:
            raise self._hung_up() from None
        except Exception as fault:  # noqa: BLE001 - whatever panoramisk trips over, this connection is what ends.
            if self._reader.at_eof():
                raise self._hung_up() from None
            self._broken = f"the answer to {what} cannot be read ({type(fault).__name__})"
            raise PbxUnavailableError(self._broken) from None
        return self._read(what, told)

    def _read(self, what: str, told: dict[str, Any]) -> Answer:
        status, error = told.get("status_code"), told.get("error")
        if error in ("AGIResultHangup", "AGIAppError") or status == DEAD_CHANNEL:
            raise self._hung_up()
        result, end_position = told.get("result"), told.get("endpos", ("0", ""))
        if status != OK or isinstance(error, str) or not isinstance(result, tuple):
            self._broken = f"{what} was refused ({status})"
            raise PbxUnavailableError(self._broken)
        self._broken = None
        value, note = result
        return Answer(value, note, _whole(end_position[0]))

    def _hung_up(self) -> CallerHungUp:
        self._gone = True
        return CallerHungUp(self._call_id)


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 12 else 0  # noqa: PLR2004 - samples of four years
