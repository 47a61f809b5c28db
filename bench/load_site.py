"""What a load runs on: one Asterisk with agents, app_queue beside ours on it, and the controller as in production.

Who dials OURS is served by the controller, who dials QUEUES by app_queue; both are answered, hear the same short word
(DIGIT, half a second) and wait with the same music for the same agents. app_queue is set up as one would who wants it
quick (bench/app_queue/).
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from bench.bench_pbx import furnish
from lab.controller_process import die_with_parent
from lab.pbx import running_pair
from lab.stack import write_settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from controller.provision import Site
    from lab.pbx import Asterisk

OURS: Final = "0300000003"
QUEUES: Final = "0300000004"
DIGIT: Final = "digit-1"
_POLL_S: Final = 0.005
SETTINGS: Final = {
    ("[queues]", "wrap_up_s"): "0",
    ("[queues]", "language"): '"en"',
    # Nobody is told that they can be called back: app_queue has nothing like it.
    ("queues.announcements", "offer"): '"on_key"',
    ("log", "path"): '"controller.log"',
}
_ENTRANCE: Final = f"""
[[entrances]]
name = "bench"
dialled_numbers = ["{OURS}"]
language = "en"
welcome = "{DIGIT}"
leads_to = {{ queue = "support" }}
"""


class NotInControlError(Exception):
    """The controller did not say in time what was waited for; the message has its last lines."""


class LoggedController:
    """`python -m controller run` with its log in a file, as in production, and nobody who reads along."""

    def __init__(self, site: Site, settings: Path) -> None:
        self._site = site
        self._settings = settings
        self.log = settings.parent / "controller.log"
        self._process: asyncio.subprocess.Process | None = None
        self.started_at_s = 0.0
        """When it was last started: seconds since 1970, to be compared with `stamp_of` of its lines."""
        self.started_s = 0.0
        """The same by `time.monotonic()`."""

    @property
    def pid(self) -> int:
        """The process id. Raises ProcessLookupError when it was never started."""
        if self._process is None:
            raise ProcessLookupError("the controller was not started")
        return self._process.pid

    async def start(self, *, timeout_s: float = 60.0) -> list[dict[str, Any]]:
        """Start it; return the lines that it logged until it was in control. Raises NotInControlError."""
        offset = self.log.stat().st_size if self.log.exists() else 0
        environment = {
            **os.environ,
            "ORIKAESHI_ARI_PASSWORD": self._site.ari_password,
            "ORIKAESHI_AMI_PASSWORD": self._site.ami_password,
        }
        self.started_at_s, self.started_s = time.time(), time.monotonic()
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "controller", "run", "--settings", str(self._settings)),
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            preexec_fn=die_with_parent,
        )
        return await self.until("in control", offset, timeout_s=timeout_s)

    async def until(self, event: str, offset: int, *, timeout_s: float) -> list[dict[str, Any]]:
        """Return the lines from `offset` of the log on, up to the first with this event. Raises NotInControlError."""
        deadline_s = time.monotonic() + timeout_s
        while True:
            lines = self.lines(offset)
            found = next((index for index, line in enumerate(lines) if line.get("event") == event), None)
            if found is not None:
                return lines[: found + 1]
            if time.monotonic() > deadline_s or (self._process is not None and self._process.returncode is not None):
                last = "\n".join(json.dumps(line) for line in lines[-10:])
                raise NotInControlError(f"the controller did not log {event!r} within {timeout_s:.0f} s:\n{last}")
            await asyncio.sleep(_POLL_S)

    def lines(self, offset: int = 0) -> list[dict[str, Any]]:
        """Return what it has logged from a place in the file on, whole lines only."""
        if not self.log.exists():
            return []
        with self.log.open("rb") as file:
            file.seek(offset)
            whole = file.read().rpartition(b"\n")[0]
        return [json.loads(line) for line in whole.split(b"\n") if line.startswith(b"{")]

    async def kill9(self) -> None:
        """Kill it, as a power cut would."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> None:
        """End it as a service manager would."""
        await self._end(signal.SIGTERM)

    async def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.send_signal(how)
            await self._process.wait()


def stamp_of(line: dict[str, Any]) -> float:
    """Return when a line was logged: seconds since 1970."""
    return datetime.fromisoformat(line["at"]).timestamp()


@dataclass(frozen=True, slots=True)
class LoadSite:
    """What a load runs on."""

    site: Site
    pbx: Asterisk
    controller: LoggedController

    @property
    def pbx_pid(self) -> int:
        """The process id of Asterisk. Raises ProcessLookupError when it does not run."""
        if self.pbx.pid is None:
            raise ProcessLookupError("Asterisk does not run")
        return self.pbx.pid


@asynccontextmanager
async def running_site(home: Path, *, agents: int) -> AsyncIterator[LoadSite]:
    """Run the PBX with so many agents for the length of the block; the controller is yet to be started.

    Raises what `lab.pbx.running_pair` raises.
    """
    async with running_pair(home, agents=agents, customers=1, language="en", furnish=_furnished) as (
        site,
        pbx,
        _carrier,
    ):
        settings = write_settings(site, SETTINGS, edit=lambda text: text + _ENTRANCE)
        controller = LoggedController(site, settings)
        try:
            yield LoadSite(site, pbx, controller)
        finally:
            await controller.kill9()


def _furnished(site: Site) -> None:
    """Add to the site's files a trunk for the callers, app_queue with the same agents, and its number."""
    furnish(site)
    # These phones say nothing, and are not to be taken for dead after a minute of it.
    patient = "".join(f"[{agent.user}](+)\nrtp_timeout = 0\n\n" for agent in site.agents)
    # A plain Answer() waits half a second for the caller's first sound, and these callers are silent.
    dialplan = (
        f"\n[from-trunk]\nexten => {QUEUES},1,Answer(,i)\nexten => {QUEUES},n,Playback(orikaeshi/{DIGIT})\n"
        f"exten => {QUEUES},n,Queue(bench)\nexten => {QUEUES},n,Hangup()\n"
    )
    _append(site.pbx_site / "pjsip-local.conf", patient)
    _append(site.pbx_site / "globals.conf", dialplan)


def _append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(text)
