"""A site whose controller runs in the test's own process: what a supervisor does goes straight to its floor."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.assembly import new_id
from controller.offices import Offices
from controller.ports.floor import EntryState
from controller.provision.files import read_secrets
from controller.settings import load_settings
from controller.store import open_store
from controller.system_clock import SystemClock
from lab import audio
from lab.pbx import running_pair
from lab.phone import Answer, Ignore, PhoneShelf
from lab.prompts import PromptFiles
from lab.rootfolder import root_folder
from lab.stack import write_settings
from tests.asterisk.floor import AGENT_HZ, forget_rings
from tests.asterisk.in_line_site import GREETING, own_music

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from controller.ports.floor import FloorNow, LineEntry
    from controller.settings import Settings
    from controller.store import Store
    from controller.workers.floors import Floors
    from lab.pbx import Asterisk
    from lab.phone import Phone, PhoneCall

QUEUES = {"low": "0312345601", "high": "0312345602"}
"""What is dialled for each; the music of each is a tone of its own."""
AGENTS = {"agent-1": ["low"], "agent-2": ["high"], "agent-3": ["high"]}


def floor_settings(text: str) -> str:
    """Return the settings with these queues and agents, where supervisors may listen."""
    queues = [
        f'[[queues]]\nname = "{name}"\ntitle_ja = "{name}"\ntitle_en = "{name}"\nlanguage = "en"\nwrap_up_s = 0.5\n'
        f'agent_ring_timeout_s = 10\nmusic = "{name}-music"\nannouncements = {{ offer = "never", interval_s = 600 }}'
        for name in QUEUES
    ]
    entrances = [
        f'[[entrances]]\nname = "to-{name}"\ndialled_numbers = ["{number}"]\nlanguage = "en"\nwelcome = "{GREETING}"\n'
        f'leads_to = {{ queue = "{name}" }}'
        for name, number in QUEUES.items()
    ]
    agents = [
        f'[[agents]]\nname = "{name}"\nendpoint = "{name}"\nqueues = {json.dumps(serves)}'
        for name, serves in AGENTS.items()
    ]
    head = text.partition("\n[[queues]]")[0].replace("allow_listening = false", "allow_listening = true")
    return "\n\n".join((head, *entrances, *queues, *agents)) + "\n"


@dataclass
class Control:
    """The controller: another one each time that it is begun."""

    settings: Settings
    store: Store

    def begin(self) -> Offices:
        """Begin to work."""
        self._stop = asyncio.Event()
        self.offices = Offices(self.settings, self.store, SystemClock(), member="test", dry_run=False)
        self._running = asyncio.ensure_future(self.offices.run(self._stop))
        return self.offices

    async def end(self) -> None:
        """Leave, without hanging anybody up."""
        self._stop.set()
        await self._running


@dataclass
class House:
    """Phones, the PBX, and the floor."""

    floor: Floors
    pbx: Asterisk
    agents: list[Phone]
    customers: list[Phone]
    prompts: PromptFiles
    control: Control

    async def restart(self) -> None:
        """Have the controller leave, and another one come."""
        await self.control.end()
        self.floor = self.control.begin().floor
        await self.is_in_control()

    async def is_in_control(self) -> None:
        """Wait until the controller has the PBX."""
        await self.until(lambda now: [each.state for each in now.pbxs] == ["in_control"])

    async def until(self, is_so: Callable[[FloorNow], bool]) -> FloorNow:
        """Wait until the floor is as it should be, by its own news; return it."""
        news = asyncio.Event()
        end = self.floor.subscribe(news.set)
        try:
            async with asyncio.timeout(20):
                while not is_so(now := self.floor.now()):
                    await news.wait()
                    news.clear()
                return now
        finally:
            end()

    async def signed_in(self, index: int, *, answers: bool = True) -> Phone:
        """Register an agent's phone, and wait until they are on duty."""
        phone = self.agents[index]
        phone.when_rung = Answer(tone_hz=AGENT_HZ) if answers else Ignore()
        await phone.register()
        await self.until(lambda now: any(one.name == phone.user and one.phone_idle for one in now.agents))
        return phone

    async def waits(self, index: int, queue: str) -> tuple[PhoneCall, str]:
        """Call, and stand in line; return the call and its id."""
        known = {each.id for each in self.floor.now().line}
        call = await self.customers[index].dial(QUEUES[queue], timeout_s=20)
        await call.answered()
        now = await self.until(lambda now: any(each.id not in known for each in now.line))
        (entry,) = [each for each in now.line if each.id not in known]
        await self.until(lambda _now: True)
        return call, entry.id

    def entry(self, waiter_id: str) -> LineEntry:
        """Return what is shown of somebody."""
        (found,) = [each for each in self.floor.now().line if each.id == waiter_id]
        return found

    async def is_talking(self, waiter_id: str) -> str:
        """Wait until somebody talks; return their agent."""
        await self.until(
            lambda now: any(each.id == waiter_id and each.state is EntryState.TALKING for each in now.line)
        )
        return self.entry(waiter_id).agent

    def sound(self, prompt: str) -> audio.Samples:
        """Return what a prompt sounds like."""
        return audio.read_wav(self.prompts.file(prompt, "en"))

    async def clear(self) -> None:
        """Hang up every phone, sign the agents' out, and wait until nobody is in line."""
        for phone in (*self.agents, *self.customers):
            for call in phone.calls:
                if call.ending is None:
                    await call.hang_up()
        for phone in self.agents:
            await phone.unregister()
            await forget_rings(phone)
        await self.until(lambda now: not now.line and all(not agent.phone_registered for agent in now.agents))


@asynccontextmanager
async def running_house(home: Path, *, edit: Callable[[str], str] = floor_settings) -> AsyncIterator[House]:
    """Run PBX, telephone network, phones, and the controller in this process, until the context is left."""
    with own_music(home):
        async with running_pair(home, language="en", agents=len(AGENTS)) as (site, pbx, carrier), PhoneShelf() as shelf:
            path = write_settings(site, {("[queues]", "language"): '"en"'}, edit=edit)
            secrets = {
                **read_secrets(site.home / "secrets.env"),
                "ORIKAESHI_ARI_PASSWORD": site.ari_password,
                "ORIKAESHI_AMI_PASSWORD": site.ami_password,
            }
            settings = load_settings(path, secrets)
            async with open_store(
                settings.database_url, policies=settings.retry_policies, clock=SystemClock(), new_id=new_id
            ) as store:
                control = Control(settings, store)
                offices = control.begin()
                agents = [await shelf.add(a.user, a.password, site.host, site.ports.sip) for a in site.agents]
                customers = [
                    await shelf.add(c.user, c.password, site.host, site.ports.carrier_sip) for c in site.customers
                ]
                for phone in customers:
                    await phone.register()
                house = House(offices.floor, pbx, agents, customers, PromptFiles(root_folder()), control)
                await house.is_in_control()
                try:
                    yield house
                finally:
                    await control.end()
    assert carrier is not None
