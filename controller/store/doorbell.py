"""The doorbell beside the database: a Unix socket that whoever changed a promise from outside rings with its id.

A hint and no more: the controller reads the database then. One line a promise, 16 hexadecimal digits, no answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import socket
import stat
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from structlog.typing import FilteringBoundLogger

    from controller.ports.clock import Clock

SUFFIX = ".bell"
_LONGEST_PATH_BYTES = 107  # unix(7): sun_path has 108, the last one zero
_PROMISE_ID = re.compile(rb"[0-9a-f]{16}")
_LONGEST_LINE_BYTES = 64
_MOST_LINES = 1000
_MOST_CLIENTS = 16
_PATIENCE_S = 2.0
_KNOCK_TIMEOUT_S = 0.5
_RETRY_S = 2.0


def bell_of(database: Path) -> Path:
    """Return where the doorbell of a database file hangs."""
    return database.with_name(database.name + SUFFIX)


def ring(path: Path, promise_ids: Iterable[str]) -> bool:
    """Ring for promises; False when nobody heard it. Blocks for half a second at most, and never raises OSError."""
    letter = "".join(f"{promise_id}\n" for promise_id in promise_ids).encode()
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(_KNOCK_TIMEOUT_S)
            line.connect(os.fspath(path))
            line.sendall(letter)
    except OSError:
        return False
    return True


class Doorbell:
    """The controller's side. Of several controllers on one database one has the bell, and the next one inherits it."""

    def __init__(
        self, path: Path, clock: Clock, *, log: FilteringBoundLogger | None = None, patience_s: float = _PATIENCE_S
    ) -> None:
        self._path = path
        self._clock = clock
        self._patience_s = patience_s
        self._log = log or structlog.get_logger("controller.doorbell")
        self._clients = 0

    async def run(self, on_ring: Callable[[str], None]) -> None:
        """Call `on_ring` with each promise's id until cancelled; it has to be quick.

        Returns, with a warning, where a bell cannot be hung at all: the controller works without one.
        """
        try:
            door = await self._hang()
        except OSError as error:
            self._log.warning(
                "doorbell_not_hung",
                path=str(self._path),
                error=error.strerror or str(error),
                remedy="`controller cancel` and `controller do-not-call` do not stop a phone that rings already",
            )
            return
        identity = _identity(self._path)
        try:
            server = await asyncio.start_unix_server(
                lambda reader, writer: self._answer(reader, writer, on_ring), sock=door, limit=_LONGEST_LINE_BYTES
            )
            async with server:
                await server.serve_forever()
        finally:
            door.close()
            if identity is not None and _identity(self._path) == identity:  # else it is somebody else's by now
                self._path.unlink(missing_ok=True)

    async def _hang(self) -> socket.socket:
        """Return a socket that listens at the path, once no other controller does. Raises OSError."""
        if len(os.fsencode(self._path)) > _LONGEST_PATH_BYTES:
            raise OSError(f"the path is longer than the {_LONGEST_PATH_BYTES} bytes that a socket's may have")
        while _is_answered(self._path):
            await self._clock.sleep(_RETRY_S)
        with contextlib.suppress(FileNotFoundError):
            if stat.S_ISSOCK(self._path.lstat().st_mode):  # of a controller that is dead; anything else is not ours
                self._path.unlink()
        door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        private = os.umask(0o177)
        try:
            door.bind(os.fspath(self._path))
        except OSError:
            door.close()
            raise
        finally:
            os.umask(private)
        return door

    async def _answer(self, reader: StreamReader, writer: StreamWriter, on_ring: Callable[[str], None]) -> None:
        self._clients += 1
        try:
            if self._clients <= _MOST_CLIENTS:
                async with asyncio.timeout(self._patience_s):
                    await self._listen(reader, on_ring)
        except (TimeoutError, OSError, ValueError):  # ValueError: a line without end
            self._log.info("doorbell_client_dropped")
        except asyncio.CancelledError:
            return  # the loop closes; nobody waits for this task, and Python 3.11 complains of one that was cancelled
        finally:
            self._clients -= 1
            writer.close()

    async def _listen(self, reader: StreamReader, on_ring: Callable[[str], None]) -> None:
        for _ in range(_MOST_LINES):
            line = await reader.readline()
            if not line:
                return
            if not line.endswith(b"\n") or not _PROMISE_ID.fullmatch(line[:-1]):
                raise ValueError("not a promise's id")
            try:
                on_ring(line[:-1].decode("ascii"))
            except Exception:  # noqa: BLE001 - a listener's mistake must not take the bell down
                self._log.exception("doorbell_listener_failed")


def _is_answered(path: Path) -> bool:
    """Tell whether somebody listens at the path."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.setblocking(False)
        try:
            line.connect(os.fspath(path))
        except BlockingIOError:
            return True  # its queue is full: busy, or stopped for now
        except OSError:
            return False
    return True


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
