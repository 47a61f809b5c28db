"""Waits for the word "ready" from a daemon, by the protocol of sd_notify(3): a datagram that says READY=1."""

from __future__ import annotations

import asyncio
import os
import socket
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pathlib import Path


class ReadySocket:
    """A socket named `ready` in a folder; a context manager, so that it is always closed and removed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)

    def __enter__(self) -> Self:
        path = self._folder / "ready"
        path.unlink(missing_ok=True)
        descriptor = os.open(self._folder, os.O_PATH | os.O_DIRECTORY)
        try:
            # A Unix socket's name may have 107 bytes; a cache folder's path may have more.
            self._socket.bind(f"/proc/self/fd/{descriptor}/ready")
        except BaseException:
            self._socket.close()
            raise
        finally:
            os.close(descriptor)
        path.chmod(0o666)  # the daemon runs as another user; the folder above is closed to all but it and root
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        (self._folder / "ready").unlink(missing_ok=True)

    async def wait(self) -> None:
        """Return when READY=1 has come."""
        loop = asyncio.get_running_loop()
        while b"READY=1" not in (await loop.sock_recv(self._socket, 4096)).splitlines():
            pass
