"""The demo's screens: a console on a free port, and somebody who may sign in there for as long as the demo lasts."""

from __future__ import annotations

import asyncio
import secrets
import signal
import sys
from typing import TYPE_CHECKING

from controller.settings.first_file import with_value
from lab.text_messages import free_port

if TYPE_CHECKING:
    from pathlib import Path

PERSON = "demo"
PASSWORD_BYTES = 12


class NotLetInError(Exception):
    """Nobody could be made who may sign in; the message is the command's own."""


class DemoConsole:
    """One console, its port, and the password of the one person whom it knows."""

    def __init__(self) -> None:
        self.password = secrets.token_urlsafe(PASSWORD_BYTES)
        self._port = free_port()

    @property
    def wallboard(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._port}/wallboard"

    @property
    def changes(self) -> dict[tuple[str, str], str]:
        """What opens it in a controller's settings: (table, key) to a TOML value."""
        return {("console", "enabled"): "true", ("console", "port"): str(self._port)}

    def settings(self, text: str) -> str:
        """Return a controller's settings with the console open."""
        for (table, key), value in self.changes.items():
            text = with_value(text, table, key, value)
        return text

    async def let_in(self, settings: Path, language: str) -> None:
        """Make the supervisor, as an admin would: by the command. Raises NotLetInError."""
        command = ("person", "add", PERSON, "--role", "supervisor", "--stdin", "--language", language)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "controller",
            *command,
            "--settings",
            str(settings),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate(f"{self.password}\n".encode())
        if process.returncode:
            raise NotLetInError(said.decode(errors="replace").strip())


async def until_interrupted() -> None:
    """Return when somebody presses Ctrl-C, or asks the process to end."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    try:
        await stop.wait()
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
