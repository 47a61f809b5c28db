"""A PBX with queues of its own, on which the examples in asterisk-conf/examples/ are installed as an admin would."""

from __future__ import annotations

import asyncio
import os
import shutil
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from controller.asterisk.agi.server import DEFAULT_PORT, AgiServer
from controller.provision import provision
from controller.system_clock import SystemClock
from controller.workers.agi_desk import AgiDesk
from lab.instance_folders import sweep
from lab.pbx import CARRIER_CONF, PBX_CONF, running
from lab.phone import Ignore, PhoneShelf
from lab.prompts import PromptFiles
from lab.rootfolder import root_folder
from tests.adapters.promise_house import promise_house

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from controller.journeys.house import House
    from lab.pbx import Asterisk
    from lab.phone import Phone, PhoneCall
    from tests.adapters.promise_house import PromiseHouse

ENTRANCES = """
[globals]
ENTRANCE = open-now

[from-trunk]
exten => _[+0-9].,1,Answer()
 same => n,Set(CHANNEL(language)=ja)
 same => n,Goto(${ENTRANCE},s,1)

; What [support-calls] does within and outside its hours.
[open-now]
exten => s,1,Set(ORI_SINCE=${EPOCH})
 same => n,Goto(support-open,s,1)

[closed-now]
exten => s,1,Goto(support-closed,s,1)

[full-now]
exten => s,1,Queue(full)
 same => n,Goto(support-overflow,s,1)

; What FreePBX writes: a queue with a break-out IVR, whose key 1 leads to a Custom Destination that returns.
[freepbx-queue]
exten => s,1,Set(QUEUEJOINTIME=${EPOCH})
 same => n,Queue(freepbx,t)

[ivr-1]
exten => 1,1,Goto(customdests,dest-1,1)

[customdests]
exten => dest-1,1,Gosub(orikaeshi-support,s,1())
 same => n,Goto(freepbx-queue,s,1)
"""
QUEUES = """
[support](+)
member => PJSIP/agent-1

[freepbx]
musicclass = default
context = ivr-1
joinempty = yes
member => PJSIP/agent-1

[full]
joinempty = strict
"""


def configured(folder: Path, agi_port: int) -> Path:
    """Write the configuration of such a PBX: ours, with the examples in place of our dialplan."""
    conf = folder / "existing-pbx-conf"
    shutil.copytree(PBX_CONF, conf, ignore=shutil.ignore_patterns("prompts", "site"))
    examples = conf / "examples"
    asking = examples / "orikaeshi_leave_number.conf"
    text = asking.read_text("utf-8")
    asking.write_text(text.replace(f"agi://127.0.0.1:{DEFAULT_PORT}/", f"agi://127.0.0.1:{agi_port}/"), "utf-8")
    freepbx = (examples / "extensions_custom_freepbx.conf").read_text("utf-8")
    plain = (examples / "extensions_existing.conf").read_text("utf-8")
    include = "#include examples/orikaeshi_leave_number.conf\n"
    both = plain + freepbx.replace(include, "")  # Nobody has both; the context that they share is read once.
    (conf / "extensions.conf").write_text(f"[general]\nautofallthrough = yes\n{ENTRANCES}\n{both}", "utf-8")
    queues = (conf / "queues.conf").read_text("utf-8") + (examples / "queues_existing.conf").read_text("utf-8")
    (conf / "queues.conf").write_text(queues + QUEUES, "utf-8")
    with (conf / "modules.conf").open("a", encoding="utf-8") as modules:
        modules.write("load = res_speech.so\nload = res_agi.so\n")
    return conf


@dataclass
class Service:
    """The controller's side: the door for FastAGI, which can be closed and opened again on the same port."""

    house: House
    port: int = 0
    _running: asyncio.Task[None] | None = field(default=None, repr=False)

    async def open(self) -> None:
        """Listen."""
        desk = AgiDesk(self.house, languages={"ja", "en"})
        server = AgiServer(host="127.0.0.1", port=self.port, clock=SystemClock(), on_call=desk.receive)
        self._running = asyncio.create_task(server.run())
        async with asyncio.timeout(5):
            await server.listening.wait()
        self.port = server.bound_port

    async def close(self) -> None:
        """Leave, as a process does that is stopped."""
        if self._running is not None:
            self._running.cancel()
            with suppress(asyncio.CancelledError):
                await self._running
            self._running = None


@dataclass
class ExistingPbx:
    """Everything that runs, with phones."""

    pbx: Asterisk
    service: Service
    promises: PromiseHouse
    prompts: PromptFiles
    service_number: str
    agent: Phone
    customers: list[Phone]

    async def calling(self, entrance: str) -> tuple[Phone, PhoneCall]:
        """Call in as somebody who has not called yet, by one of the entrances above."""
        await self.pbx.cli(f"dialplan set global ENTRANCE {entrance}")
        phone = self.customers.pop(0)
        call = await phone.dial(self.service_number, timeout_s=20)
        await call.answered()
        return phone, call

    async def heard(self, call: PhoneCall, prompt: str, *, from_s: float = 0, timeout_s: float = 20) -> float:
        """Wait until a prompt was heard whole, in Japanese; return when it began."""
        match = await call.heard.until_prompt(self.prompts.file(prompt, "ja"), timeout_s=timeout_s, from_s=from_s)
        return match.at_s


@asynccontextmanager
async def existing_pbx(folder: Path) -> AsyncIterator[ExistingPbx]:
    """Run PBX, telephone network, service and phones for the length of the block."""
    root = await asyncio.to_thread(root_folder)
    await asyncio.to_thread(sweep, root)
    site = provision(folder, agents=1, customers=16, port_offset=os.getpid() % 700)
    async with promise_house(folder) as promises:
        service = Service(promises.house)
        await service.open()
        conf = configured(folder, service.port)
        async with (
            running(root, "carrier", CARRIER_CONF, site.carrier_site),
            running(root, "pbx", conf, site.pbx_site) as pbx,
            PhoneShelf() as shelf,
        ):
            customers = [
                await shelf.add(each.user, each.password, site.host, site.ports.carrier_sip) for each in site.customers
            ]
            for phone in customers:
                await phone.register()
                phone.when_rung = Ignore()
            desk = site.agents[0]
            agent = await shelf.add(desk.user, desk.password, site.host, site.ports.sip)
            yield ExistingPbx(pbx, service, promises, PromptFiles(root), site.service_number, agent, customers)
        await service.close()
