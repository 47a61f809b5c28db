"""A real Asterisk with real SIP phones, seen through the controller's own telephony."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections import Counter
from contextlib import asynccontextmanager
from datetime import time
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from controller.asterisk.ari.client import AriClient
from controller.asterisk.languages import Languages
from controller.asterisk.legs import DialRights, OutboundStyle
from controller.asterisk.telephony import AriTelephony
from controller.asterisk.trunks import Trunk, Trunks
from controller.domain.gate import CallingHours, Gate
from controller.domain.phone_number import NumberPlan
from controller.system_clock import SystemClock
from lab.audio import PROMPT_SCORE, find_prompt, read_wav
from lab.pbx import running_pair
from lab.phone import Answer, Busy, Ignore, NotHeard, PhoneShelf
from lab.prompts import PromptFiles
from lab.rootfolder import root_folder
from tests.contract.calls.exchange import DEFAULT_MUSIC, OWN_MUSIC, SINCE, an_agent, an_attempt

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine, Mapping
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from controller.asterisk.ari.events import Event
    from controller.asterisk.recordings import AriRecordingShelf
    from controller.ports.calls import Call, OutboundCall
    from controller.ports.survey import FoundCall
    from controller.provision.site import Site
    from lab.phone import Phone, PhoneCall, WhenRung
    from tests.contract.calls.exchange import FarEnd

OWN_MUSIC_IS = ("please-wait", "en")
MUSIC_CONF = f"""
[{OWN_MUSIC}]
mode = playlist
entry = /usr/share/asterisk/sounds/en/orikaeshi/please-wait
"""
LISTENING = "other"
"""The queue whose customers are listened to before they are spoken to."""
LISTENS_S = 4.0
"""Long enough for the prompt to be heard whole, wherever one begins to listen."""
REACTIONS: Mapping[str, WhenRung] = MappingProxyType({"answers": Answer(), "busy": Busy(), "ignores": Ignore()})
_serial = itertools.count(1)


class PhoneFarEnd:
    """A call of a real phone."""

    def __init__(self, call: PhoneCall, prompts: PromptFiles) -> None:
        self._call = call
        self._prompts = prompts

    @property
    def shown_number(self) -> str:
        """The user part of From."""
        return self._call.caller_id.number

    async def press(self, keys: str) -> None:
        """Press keys, as RFC 4733 events."""
        await self._call.press(keys, gap_ms=60)

    async def hang_up(self) -> None:
        """Send CANCEL or BYE."""
        await self._call.hang_up()

    async def over(self) -> None:
        """Wait for the end."""
        await self._call.ended

    async def hears_music(self, music: str = DEFAULT_MUSIC) -> bool:
        """Listen for four seconds: music is not silent for half of one; the music of the one queue is a prompt."""
        await self._call.answered()
        from_s = self._call.heard.duration_s + 0.3
        began_s = await self._call.heard.until_sound(5, from_s=from_s)
        await self._call.heard.until_sound(5, from_s=began_s + LISTENS_S)
        heard = self._call.heard.slice(began_s, began_s + LISTENS_S)
        is_own = find_prompt(heard, read_wav(self._prompts.file(*OWN_MUSIC_IS))).score > PROMPT_SCORE
        if music == OWN_MUSIC:
            return is_own
        return not is_own and self._call.heard.longest_silence_s(began_s, began_s + LISTENS_S) < 0.5

    async def hears(self, prompt: str, language: str) -> bool:
        """Listen for it, from the beginning of the call."""
        try:
            await self._call.heard.until_prompt(self._prompts.file(prompt, language), timeout_s=8)
        except NotHeard:
            return False
        return True


class AsteriskExchange:
    """`AriTelephony` over `AriClient`, on the PBX of a site."""

    def __init__(self, site: Site, caller: Phone, agent: Phone, customer: Phone) -> None:
        self._site = site
        self.trunk, self.service_number = site.trunk, site.service_number
        self._prompts = PromptFiles(root_folder())
        self._menus: asyncio.Queue[tuple[Call, str]] = asyncio.Queue()
        self._caller, self._agent, self._customer = caller, agent, customer
        self._arrived: asyncio.Queue[Call] = asyncio.Queue()
        self._next_rung: Phone = agent
        self._handed_out: Counter[Phone] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self._running: asyncio.Task[None] | None = None
        self._all: list[AriTelephony] = []
        """Those who were followed by another too: what they still wait for is let go of with the loop, not before."""
        self._telephony: AriTelephony

    async def start(self) -> None:
        """Connect a controller's telephony, in place of the one before."""
        clock, connected = SystemClock(), asyncio.Event()
        client = AriClient(
            self._site.ari_url,
            "orikaeshi",
            self._site.ari_user,
            self._site.ari_password,
            on_event=self._take,
            on_connected=connected.set,
            on_disconnected=lambda: None,
            clock=clock,
            rng=random.Random(1),  # noqa: S311 - spreads reconnects
        )
        self._telephony = AriTelephony(
            client,
            trunks=Trunks([Trunk(self._site.trunk, self._site.service_number, calls_per_s=50)], clock),
            rights=DialRights(lambda: True, nobody_is_blocked),
            gate=Gate(NumberPlan(), CallingHours(time(0), time(0)), external=frozenset({self._customer.user})),
            languages=Languages({"main": "ja"}, {self._site.service_number: "ja"}),
            music={"other": OWN_MUSIC, "lost": "no-such-music"},
            agent_endpoints=["agent-1"],
            clock=clock,
            new_id=lambda: f"contract-{next(_serial)}",
            spawn=self._spawn,
            outbound={LISTENING: OutboundStyle(detect_machine=True)},
        )
        self._all.append(self._telephony)
        self._telephony.on_new_call = self._arrived.put_nowait
        self._telephony.on_agent_menu = lambda call, code: self._menus.put_nowait((call, code))
        self._running = asyncio.create_task(client.run())
        await connected.wait()
        await self._telephony.prepare()

    async def stop(self) -> None:
        """Leave without hanging anybody up."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
            await self._telephony.leave()

    @property
    def shelf(self) -> AriRecordingShelf:
        """That of the controller's telephony."""
        return self._telephony.shelf

    async def call_in(self, *, withheld: bool = False, from_agent: bool = False) -> tuple[Call, FarEnd]:
        """Dial the service number, with 184 in front to withhold the own."""
        number = f"184{self._site.service_number}" if withheld else self._site.service_number
        phone_call = await (self._agent if from_agent else self._caller).dial(number, timeout_s=20)
        async with asyncio.timeout(5):
            return await self._arrived.get(), PhoneFarEnd(phone_call, self._prompts)

    async def agent_dials(self, code: str) -> tuple[Call, str, FarEnd]:
        """Dial it, after the star."""
        phone_call = await self._agent.dial(f"*{code}", timeout_s=20)
        return *await self.told_of_a_code(), PhoneFarEnd(phone_call, self._prompts)

    async def told_of_a_code(self) -> tuple[Call, str]:
        """Wait for the next."""
        async with asyncio.timeout(5):
            return await self._menus.get()

    def agent_leg(self, when_rung: str, *, ring_timeout_s: float = 10) -> AbstractAsyncContextManager[OutboundCall]:
        """Prepare a leg to the agent's phone."""
        self._agent.when_rung, self._next_rung = REACTIONS[when_rung], self._agent
        return self._telephony.agent_leg(
            an_agent(), for_call="call-1", shown_number="09012340001", ring_timeout_s=ring_timeout_s
        )

    def customer_leg(
        self,
        when_rung: str,
        *,
        attempt_id: str,
        number: str | None = None,
        language: str = "ja",
        ring_timeout_s: float = 10,
        listens: bool = False,
    ) -> AbstractAsyncContextManager[OutboundCall]:
        """Prepare a leg to the customer's phone, through the telephone network."""
        self._customer.when_rung, self._next_rung = REACTIONS[when_rung], self._customer
        attempt = an_attempt(attempt_id, number or f"+81{self._customer.user[1:]}")
        queue = LISTENING if listens else "main"
        return self._telephony.customer_leg(
            attempt, queue=queue, language=language, since=SINCE, ring_timeout_s=ring_timeout_s
        )

    def external_leg(
        self, when_rung: str, *, for_call: str, named: bool = True, shown_number: str | None = None
    ) -> AbstractAsyncContextManager[OutboundCall]:
        """Prepare a leg to the customer's phone, whose number is the one that the settings name."""
        self._customer.when_rung, self._next_rung = REACTIONS[when_rung], self._customer
        number = self._customer.user if named else self._caller.user
        return self._telephony.external_leg(number, for_call=for_call, shown_number=shown_number, ring_timeout_s=10)

    async def rung(self) -> FarEnd:
        """Wait until the phone rings."""
        call = await self._next_rung.rings(10)
        self._handed_out[self._next_rung] += 1
        return PhoneFarEnd(call, self._prompts)

    async def successor(self) -> list[FoundCall]:
        """Cut the connection and connect another one."""
        await self.stop()
        await self.start()
        return await self._telephony.survey()

    async def clear(self) -> None:
        """Hang up every phone."""
        for phone in (self._caller, self._agent, self._customer):
            for call in [call for call in phone.calls if call.ending is None]:
                await call.hang_up()
                await call.ended
            while self._handed_out[phone] < sum(call.incoming for call in phone.calls):
                await phone.rings(1)
                self._handed_out[phone] += 1

    def _take(self, event: Event) -> None:
        self._telephony.on_event(event)

    def _spawn(self, story: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(story)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def nobody_is_blocked(number: str) -> bool:
    """Be a do-not-call list on which nobody stands."""
    del number
    return False


@asynccontextmanager
async def asterisk_exchange(home: Path) -> AsyncIterator[AsteriskExchange]:
    """Run a PBX, a telephone network, and three registered phones for the length of the block."""
    site_folder = home / "pbx" / "site"
    site_folder.mkdir(mode=0o700, parents=True)
    (site_folder / "musiconhold-local.conf").write_text(MUSIC_CONF, encoding="utf-8")
    async with running_pair(home) as (site, _, _), PhoneShelf() as shelf:
        agent = await shelf.add(site.agents[0].user, site.agents[0].password, site.host, site.ports.sip)
        caller, customer = [
            await shelf.add(each.user, each.password, site.host, site.ports.carrier_sip) for each in site.customers[:2]
        ]
        for phone in (agent, caller, customer):
            await phone.register()
        exchange = AsteriskExchange(site, caller, agent, customer)
        await exchange.start()
        yield exchange
        await exchange.stop()
