"""Real Asterisks inside the root folder: started, watched, killed, and cleaned up after.

Every instance has its own folders (`/srv/orikaeshi/NAME-...` inside the root), so that several run side by
side and none sees the files of another. Readiness is Asterisk's own word for it: the `READY=1` that it sends
to `NOTIFY_SOCKET` when it has fully booted (sd_notify(3)).
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import re
import shutil
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Final

from controller.provision import Site, provision
from lab.instance_folders import Folders, sweep
from lab.ready_socket import ReadySocket
from lab.rootfolder import root_folder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

REPOSITORY: Final = Path(__file__).resolve().parent.parent
PBX_CONF: Final = REPOSITORY / "asterisk-conf"
CARRIER_CONF: Final = REPOSITORY / "lab" / "carrier-conf"

_COMPLAINT: Final = re.compile(r"\b(WARNING|ERROR)\[\d+\]")
_serial: Final = itertools.count(1)


class AsteriskFailed(Exception):  # noqa: N818  it is what happened, and reads so in a traceback
    """Asterisk did not start, did not stop or refused a command; the message carries its own last words."""


class Asterisk:
    """One instance: `await start()`, `await stop()`; between them it may be killed and started again."""

    def __init__(self, root: Path, name: str, conf_dir: Path, site_dir: Path | None) -> None:
        """Nothing happens yet.

        Args:
            root: the root folder, see `lab.rootfolder`.
            name: letters for the folder's name and messages: "pbx", "carrier".
            conf_dir: static configuration, copied in at every start.
            site_dir: what is particular to the site, copied to `site/` beside it; None when there is none.
        """
        self.name = name
        self._root = root
        self._conf_dir = conf_dir
        self._site_dir = site_dir
        self._folders = Folders.new(root, name, next(_serial))
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        """The process id of Asterisk, None while it is not running."""
        running = self._process is not None and self._process.returncode is None
        return self._process.pid if running and self._process else None

    @property
    def log_path(self) -> Path:
        """Asterisk's own log (notices, warnings, errors), one file over all starts of this instance."""
        return self._folders.host / "log" / "messages"

    @property
    def complaints(self) -> list[str]:
        """The lines of WARNING and ERROR so far, over all starts of this instance."""
        return [line for line in self._log().splitlines() if _COMPLAINT.search(line)]

    async def start(self, *, timeout_s: float = 30.0) -> None:
        """Start, and return when Asterisk says that it has fully booted.

        Raises:
            AsteriskFailed: it ended or did not get ready in time; with the last lines of its log.
        """
        if self.pid is not None:
            raise AsteriskFailed(f"{self.name} is running already (process {self.pid})")
        await asyncio.to_thread(self._folders.fill, self._conf_dir, self._site_dir)
        with ReadySocket(self._folders.host / "run") as ready:
            self._process = await self._spawn()
            booted = asyncio.ensure_future(ready.wait())
            ended = asyncio.ensure_future(self._process.wait())
            try:
                await asyncio.wait((booted, ended), timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
                if booted.done():
                    booted.result()
                    return
                code = self._process.returncode
                what = f"gave up (exit {code})" if ended.done() else f"was not ready after {timeout_s:.0f} s"
            finally:
                booted.cancel()
                ended.cancel()
                await asyncio.gather(booted, ended, return_exceptions=True)
        await self.kill9()
        raise AsteriskFailed(f"Asterisk ({self.name}) {what}. Its last words:\n{self._last_words()}")

    async def stop(self, *, timeout_s: float = 10.0) -> None:
        """End Asterisk as `core stop now` does, and remove its folders. Harmless when it is not running."""
        if self.pid is not None:
            await self._signal(signal.SIGTERM, timeout_s)
        if self.pid is not None:
            await self.kill9()
        await asyncio.to_thread(shutil.rmtree, self._folders.host, ignore_errors=True)

    async def kill9(self) -> None:
        """Kill it, as a power cut would; its folders stay, `start()` brings it back."""
        if self.pid is not None:
            await self._signal(signal.SIGKILL, 10.0)

    async def restart(self) -> None:
        """Stop and start with the same folders: registrations in its database survive, calls do not."""
        if self.pid is not None:
            await self._signal(signal.SIGTERM, 10.0)
        await self.kill9()
        await self.start()

    async def cli(self, command: str, *, timeout_s: float = 10.0) -> str:
        """Run one command on Asterisk's console and return what it printed, without the last line break.

        Raises:
            AsteriskFailed: Asterisk is not running, or did not reply in time.
        """
        process = await asyncio.create_subprocess_exec(
            *self._command("-rx", command),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=_environment(),
        )
        try:
            async with asyncio.timeout(timeout_s):
                output, _ = await process.communicate()
        except TimeoutError:
            process.kill()
            await process.wait()
            raise AsteriskFailed(f"{self.name}: no reply to {command!r} within {timeout_s:.0f} s") from None
        text = output.decode(errors="replace").rstrip("\n")
        if process.returncode:
            raise AsteriskFailed(f"{self.name}: {command!r} failed: {text}")
        return text

    def _command(self, *arguments: str) -> list[str]:
        return ["chroot", str(self._root), "/usr/sbin/asterisk", "-C", self._folders.conf, *arguments]

    async def _spawn(self) -> asyncio.subprocess.Process:
        with (self._folders.host / "log" / "console").open("ab") as console:
            return await asyncio.create_subprocess_exec(
                *self._command("-f", "-U", "asterisk", "-G", "asterisk"),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                env=_environment(NOTIFY_SOCKET=f"{self._folders.inside}/run/ready"),
                # Ctrl-C in the terminal is for the launcher, which then stops its Asterisks in order.
                start_new_session=True,
            )

    async def _signal(self, number: signal.Signals, timeout_s: float) -> None:
        """Send a signal and wait for the end, at most `timeout_s`."""
        process = self._process
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(number)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await process.wait()

    def _log(self) -> str:
        try:
            return self.log_path.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return ""

    def _last_words(self) -> str:
        console = self._folders.host / "log" / "console"
        said = console.read_text(encoding="utf-8", errors="replace") if console.exists() else ""
        lines = self.complaints or said.splitlines()
        return "\n".join(lines[-12:]) or "(nothing was logged)"


def _environment(**more: str) -> dict[str, str]:
    path = "/usr/sbin:/usr/bin:/sbin:/bin"
    return {"PATH": path, "LANG": "C.UTF-8", "TZ": os.environ.get("TZ", "UTC"), **more}


@contextlib.asynccontextmanager
async def running(root: Path, name: str, conf_dir: Path, site_dir: Path | None) -> AsyncIterator[Asterisk]:
    """One Asterisk for the length of the block."""
    asterisk = Asterisk(root, name, conf_dir, site_dir)
    try:
        await asterisk.start()
        yield asterisk
    finally:
        await asterisk.stop()


@contextlib.asynccontextmanager
async def running_pair(
    home: Path,
    *,
    agents: int = 2,
    customers: int = 20,
    language: str = "ja",
    bind: str = "127.0.0.1",
    furnish: Callable[[Site], object] = lambda _site: None,
) -> AsyncIterator[tuple[Site, Asterisk, Asterisk]]:
    """Run the PBX and the telephone network it is connected to, for the length of the block.

    Builds the root folder when it is missing (once, about a minute), and clears what a killed launcher has
    left behind. `furnish` may add to the site's files before the two are started.

    Yields:
        (site, pbx, carrier)

    Raises:
        RootFolderError: this machine cannot hold one; the message says what to install.
        ProvisionError: see `controller.provision`.
        AsteriskFailed: one of the two did not start.
    """
    root = await asyncio.to_thread(root_folder)
    await asyncio.to_thread(sweep, root)
    site = provision(
        home, bind=bind, agents=agents, customers=customers, language=language, port_offset=os.getpid() % 700
    )
    await asyncio.to_thread(furnish, site)
    async with contextlib.AsyncExitStack() as stack:
        pbx = Asterisk(root, "pbx", PBX_CONF, site.pbx_site)
        carrier = Asterisk(root, "carrier", CARRIER_CONF, site.carrier_site)
        stack.push_async_callback(pbx.stop)
        stack.push_async_callback(carrier.stop)
        # The network first: a PBX that finds its trunk dead refuses to dial for the next ten seconds.
        await carrier.start()
        await pbx.start()
        yield site, pbx, carrier
