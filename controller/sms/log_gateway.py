"""The default gateway: writes each SMS as one JSON line to a file, for a person or a script to take from there."""

from __future__ import annotations

import asyncio
import errno
import os
from typing import TYPE_CHECKING

import msgspec

from controller.ports.sms import Accepted, Refused, Unclear
from controller.sms.segments import segments

if TYPE_CHECKING:
    from pathlib import Path

    from controller.ports.clock import Clock
    from controller.ports.sms import SendResult

_RETRY_IN_S = 60.0


class LogGateway:
    """Appends lines to a file that its owner alone can read: JSON, UTF-8, with the keys of `send` below.

    A line is on the disk, whole, when `send` returns Accepted; one that could not be written whole is taken back.
    The file may be moved away at any time (log rotation): the next line starts a new one.
    """

    name = "log"

    def __init__(self, path: Path, *, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._turn = asyncio.Lock()

    async def run(self) -> None:
        """Return at once: there is no connection to keep."""

    async def send(self, *, key: str, sender: str, number: str, text: str) -> SendResult:
        """Append one line. What keeps it from being written (a full disk, say) may pass: Refused, with a retry."""
        line = {
            "time": self._clock.now().isoformat(),
            "key": key,
            "to": number,
            "from": sender,
            "text": text,
            "segments": segments(text),
        }
        # One at a time: a line is taken back by cutting the file to the length it had before.
        async with self._turn:
            return await asyncio.to_thread(_append, self._path, msgspec.json.encode(line) + b"\n", key)


def _append(path: Path, line: bytes, key: str) -> SendResult:
    try:
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        return Refused(_explain(path, error), _RETRY_IN_S)
    try:
        length = os.fstat(file).st_size
        try:
            _write_all(file, line)
            os.fsync(file)
            if length == 0:
                _sync_folder(path.parent)
        except OSError as error:
            return _take_back(file, length, _explain(path, error))
    finally:
        os.close(file)
    return Accepted(reference=f"{path.name}:{key}")


def _write_all(file: int, line: bytes) -> None:
    while line:
        line = line[os.write(file, line) :]


def _sync_folder(folder: Path) -> None:
    """Make a new file's name durable too, see fsync(2)."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _take_back(file: int, length: int, why: str) -> SendResult:
    try:
        os.ftruncate(file, length)
    except OSError:
        return Unclear(f"{why} Part of the line may be in the file.")
    return Refused(why, _RETRY_IN_S)


def _explain(path: Path, error: OSError) -> str:
    remedies = {
        errno.ENOENT: "Create the folder.",
        errno.ENOTDIR: "Name a file in a folder.",
        errno.EISDIR: "Name a file, not a folder.",
        errno.ENOSPC: "Free space on that disk.",
        errno.EDQUOT: "Free space within the quota.",
    }
    remedy = remedies.get(error.errno or 0, "Check the disk and the controller's permission to write there.")
    return f"The SMS log {path} cannot be written: {error.strerror}. {remedy}"
