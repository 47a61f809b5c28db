"""One Asterisk on which ours and app_queue take the same callers to the same agents, and the controller beside it.

    OURS                    the controller, as a process of its own; a short word greets
    APP_QUEUE               the queue `bench` (bench/app_queue/), with the same agents; no word
    APP_QUEUE_ANNOUNCED     the queue `announced`, which has no agents

Callers come from CALLERS_HOST, which the PBX takes for a trunk that it knows by its address. Agents register from
AGENTS_HOST, as `agent-1` and up.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.observer import Phones
from controller.provision import provision
from lab.controller_process import ControllerProcess
from lab.instance_folders import sweep
from lab.pbx import PBX_CONF, Asterisk
from lab.rootfolder import root_folder
from lab.stack import write_settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from controller.provision import Site

CALLERS_HOST: Final = "127.0.0.2"
AGENTS_HOST: Final = "127.0.0.3"
OURS: Final = "0300000003"
APP_QUEUE: Final = "0300000001"
APP_QUEUE_ANNOUNCED: Final = "0300000002"
_CONF: Final = Path(__file__).parent / "app_queue"
_FIRST_RTP_PORT, _LAST_RTP_PORT = 20_000, 26_000
"""Two for each call, for 3,000 calls; below those that Linux hands out itself."""
SETTINGS: Final[Mapping[tuple[str, str], str]] = {
    ("[queues]", "language"): '"en"',
    ("[queues]", "wrap_up_s"): "0",
    ("queues.announcements", "offer"): '"never"',
}
"""The queue of ours: no wrap-up and nothing said in line, as app_queue is set up. (Table, key) to a TOML value."""
_ENTRANCE: Final = f"""
[[entrances]]
name = "bench"
dialled_numbers = ["{OURS}"]
language = "en"
welcome = "digit-1"
leads_to = {{ queue = "support" }}
"""
"""There is no way in without a greeting; this one takes half a second."""


@dataclass(frozen=True, slots=True)
class BenchPbx:
    """What runs."""

    site: Site
    pbx: Asterisk
    callers: Phones
    agents: Phones

    async def register_agents(self) -> None:
        """Register every agent's phone. Raises RefusedError, TimeoutError."""
        for account in self.site.agents:
            await self.agents.register(account)

    @asynccontextmanager
    async def controller(
        self, changes: Mapping[tuple[str, str], str] | None = None
    ) -> AsyncIterator[ControllerProcess]:
        """Run the controller until the context is left; `changes` to its settings: (table, key) to a TOML value."""
        settings = write_settings(self.site, {**SETTINGS, **(changes or {})}, edit=lambda text: text + _ENTRANCE)
        controller = ControllerProcess(self.site, settings)
        await controller.start()
        try:
            yield controller
        finally:
            await controller.stop()


@asynccontextmanager
async def bench_pbx(home: Path, *, agents: int) -> AsyncIterator[BenchPbx]:
    """Run the PBX, with phones for callers and agents, until the context is left; `home` is a folder of this run alone.

    Raises what `lab.pbx.running_pair` raises.
    """
    root = await asyncio.to_thread(root_folder)
    await asyncio.to_thread(sweep, root)
    site = provision(home, agents=agents, customers=0, language="en", port_offset=os.getpid() % 700)
    furnish(site)
    pbx = Asterisk(root, "bench", PBX_CONF, site.pbx_site)
    try:
        await pbx.start()
        address = (site.host, site.ports.sip)
        callers, phones = Phones(CALLERS_HOST, address), Phones(AGENTS_HOST, address)
        callers.open()
        phones.open()
        try:
            yield BenchPbx(site, pbx, callers, phones)
        finally:
            callers.close()
            phones.close()
    finally:
        await pbx.stop()


def furnish(site: Site) -> None:
    """Add what a benchmark needs to the site's files."""
    folder = site.pbx_site
    members = "".join(f"member => PJSIP/{agent.user},0,{agent.user}\n" for agent in site.agents)
    # The static files include these at their ends, where a new section may begin.
    _add(folder / "queue-members.conf", (_CONF / "queues.conf").read_text("utf-8") + members)
    _add(folder / "globals.conf", (_CONF / "extensions.conf").read_text("utf-8"))
    _add(folder / "pjsip-local.conf", (_CONF / "pjsip.conf").read_text("utf-8"))
    (folder / "rtp.conf").write_text(f"rtpstart = {_FIRST_RTP_PORT}\nrtpend = {_LAST_RTP_PORT}\n", "utf-8")


def _add(path: Path, text: str) -> None:
    before = path.read_text("utf-8") if path.exists() else ""
    path.write_text(before + text, "utf-8")
