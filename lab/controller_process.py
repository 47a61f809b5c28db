"""The controller as a process of its own, as in production: started, watched by its log, killed, started again."""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from controller.provision.files import read_secrets

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from controller.provision import Site

LogLine = dict[str, Any]
_OURS = ("ORIKAESHI_SMS_", "ORIKAESHI_WEB_", "ORIKAESHI_NUMBER_")


class ControllerFailedError(Exception):
    """The controller ended, or did not say in time what was waited for; carries its last words."""


class ControllerProcess:
    """`python -m controller run`, with its JSON log followed line by line."""

    _stdin = asyncio.subprocess.DEVNULL

    def __init__(self, site: Site, settings: Path, *, on_line: Callable[[LogLine], None] = lambda _line: None) -> None:
        self._site = site
        self._settings = settings
        self.log_path = site.home / "controller.log"
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._news = asyncio.Condition()
        self._on_line = on_line
        self.lines: list[LogLine] = []
        """Everything that the controller logged, over all its starts."""

    @property
    def settings(self) -> Path:
        """Its settings file."""
        return self._settings

    @property
    def pid(self) -> int | None:
        """The process id, None while it is not running."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    async def start(self, *, until: str = "in control", timeout_s: float = 20) -> None:
        """Start it, and return once it logged the event `until`. Raises ControllerFailedError."""
        seen = len(self.lines)
        environment = {**os.environ, **_secrets(self._site.home), **self._passwords()}
        self._process = await asyncio.create_subprocess_exec(
            *self._command(),
            env=environment,
            stdin=self._stdin,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            preexec_fn=die_with_parent,
        )
        self._reader = asyncio.create_task(self._read(self._process))
        await self.logged(until, since=seen, timeout_s=timeout_s)

    def _passwords(self) -> dict[str, str]:
        return {"ORIKAESHI_ARI_PASSWORD": self._site.ari_password, "ORIKAESHI_AMI_PASSWORD": self._site.ami_password}

    def _command(self) -> list[str]:
        return [sys.executable, "-m", "controller", "run", "--settings", str(self._settings)]

    async def died(self, *, timeout_s: float) -> bool:
        """Wait until it has ended by itself; False if it has not within the time."""
        if self._process is None:
            return True
        try:
            async with asyncio.timeout(timeout_s):
                await self._process.wait()
        except TimeoutError:
            return False
        if self._reader is not None:
            await self._reader
        return True

    async def logged(
        self,
        event: str,
        *,
        since: int = 0,
        timeout_s: float = 30,
        where: Callable[[LogLine], bool] = lambda _line: True,
    ) -> LogLine:
        """Return the first log line with this event from index `since` on that `where` accepts, waiting for it.

        Raises ControllerFailedError when it does not come.
        """
        at = since
        try:
            async with asyncio.timeout(timeout_s), self._news:
                while True:
                    for line in self.lines[at:]:
                        if line.get("event") == event and where(line):
                            return line
                    at = len(self.lines)
                    if self._reader is not None and self._reader.done():
                        raise ControllerFailedError(f"the controller ended. {self._last_words()}")
                    await self._news.wait()
        except TimeoutError:
            raise ControllerFailedError(f"no {event!r} within {timeout_s:.0f} s. {self._last_words()}") from None

    async def kill9(self) -> None:
        """Kill it, as a power cut would."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> int | None:
        """End it as a service manager would; return its exit code."""
        await self._end(signal.SIGTERM)
        return self._process.returncode if self._process is not None else None

    async def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            self._process.send_signal(how)
        await self._process.wait()
        if self._reader is not None:
            await self._reader

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        if process.stderr is None:
            raise RuntimeError("the controller was started without its log")
        while raw := await process.stderr.readline():
            line = _parsed(raw)
            with self.log_path.open("ab") as log:
                log.write(raw)
            async with self._news:
                self.lines.append(line)
                self._news.notify_all()
            self._on_line(line)
        async with self._news:
            self._news.notify_all()

    def _last_words(self) -> str:
        return "Its last words:\n" + "\n".join(json.dumps(line, ensure_ascii=False) for line in self.lines[-15:])


def _secrets(home: Path) -> dict[str, str]:
    """Return what the site's secrets.env has for a controller: not the passwords of its phones."""
    found = read_secrets(home / "secrets.env")
    return {name: secret for name, secret in found.items() if name.startswith(_OURS)}


def die_with_parent() -> None:
    """Ask the kernel to end this process when the one that started it is gone (prctl(2), PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def _parsed(raw: bytes) -> LogLine:
    text = raw.decode(errors="replace").rstrip("\n")
    try:
        line = json.loads(text)
    except ValueError:
        return {"event": text}
    return line if isinstance(line, dict) else {"event": text}
