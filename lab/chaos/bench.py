"""What stays up while the controller is killed: PBX, telephone network, ledger, and a load of callers."""

from __future__ import annotations

import asyncio
import re
import time
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from lab.chaos.ledger_process import running_ledger
from lab.chaos.post import running_post
from lab.controller_process import ControllerProcess
from lab.far_end import Does, Numbers, Refusal, far_end, furnish
from lab.ledger.facts import Kind, e164
from lab.ledger.judge import Fault, asks, judge, legs_of, settles
from lab.ledger.rules import Rules
from lab.pbx import running_pair
from lab.stack import write_settings

if TYPE_CHECKING:
    import random
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from controller.provision import Site
    from lab.ami_socket import AmiLogin
    from lab.chaos.ledger_process import LedgerProcess
    from lab.chaos.post import Post
    from lab.far_end import FarEnd
    from lab.ledger.facts import Fact
    from lab.pbx import Asterisk

Controller = TypeVar("Controller", bound=ControllerProcess)
CALLBACK_NUMBER = "0312345679"
"""Whoever rings this one is asked for a number without waiting in line first."""
AGENTS = 8
MAX_CALLS = 6
CALLS_PER_S = 4
GAP_S = 1.0
QUICK = {
    ("[queues]", "wrap_up_s"): "0.5",
    ("[queues]", "missed_pause_s"): "1",
    ("[queues]", "agent_ring_timeout_s"): "4",
    ("[queues]", "customer_ring_timeout_s"): "3",
    ("[queues]", "max_attempts"): "4",
    ("dialer", "max_concurrent_calls"): str(MAX_CALLS),
    ("dialer", "calls_per_s"): str(CALLS_PER_S),
}
RULES = Rules(max_invites=4, gap_s=GAP_S, max_concurrent=MAX_CALLS, max_per_s=CALLS_PER_S)
"""What the settings above promise, in the judge's words."""
OUTCOMES = (
    *("busy", "no_answer", "rejected", "unreachable", "congestion", "not_confirmed", "dropped", "agent_lost"),
    *("withdrawn", "not_placed", "unknown"),
)
STUCK_S = 40.0
"""In which nothing new is seen on the wire although something is owed: longer than a ring, a talk and a gap."""
DRAIN_S = 180.0
"""In which all that is owed can be done, at so many calls at a time, on a slow machine."""
LAST_SMS_S = 25.0
"""Longer than a gateway that gives no answer holds up the others."""
MOST_OWED = 8
LEAST_OWED = 3
"""Callers who may wait for their callback at a time, and who do when a fault comes."""


@dataclass
class Bench:
    """Everything that a fault needs."""

    site: Site
    pbx: Asterisk
    carrier: Asterisk
    settings: Path
    ledger: LedgerProcess
    far: FarEnd
    post: Post
    rng: random.Random
    numbers: Numbers = field(default_factory=Numbers)
    talking: list[str] = field(default_factory=list)
    """Who talks for as long as they are let."""
    since: int = 0
    """The first fact of the fault that is being done."""
    pbx_kills: int = 0
    """How often the ledger may lose sight of the PBX in this fault."""
    until_judged: AsyncExitStack = field(default_factory=AsyncExitStack)
    """What has to stay until the fault has been judged, such as the disc that its database is on."""
    _last_settings: Path | None = None
    _controllers: list[ControllerProcess] = field(default_factory=list)

    def controller(self, settings: Path | None = None) -> ControllerProcess:
        """Return the controller as it is run in production, not started yet."""
        return self.watched(ControllerProcess(self.site, settings or self.settings))

    def another(self) -> ControllerProcess:
        """Return one like the last, with its database, not started yet."""
        return self.controller(self._last_settings)

    def watched(self, controller: Controller) -> Controller:
        """Have a controller ended with the fault that it is for, whatever becomes of that; return it."""
        self._controllers.append(controller)
        self._last_settings = controller.settings
        return controller

    async def end_controllers(self) -> None:
        """Kill every controller that still runs, or is stopped."""
        for controller in self._controllers:
            if controller.pid is not None:
                await controller.kill9()
        self._controllers.clear()

    def calls_in(self, does: Does, s: str | int = 0, t: str | int = 0) -> str:
        """Have a new customer of this kind ask for a callback; return their number (E.164)."""
        number = self.numbers.new(does, s, t)
        self.far.call_in(number)
        return e164(number)

    def somebody_calls_in_vain(self) -> str:
        """Have a customer call who will not be reached at first, or at all, and is told so by SMS."""
        kinds: tuple[tuple[Does, str | int, str | int], ...] = (
            (Does.LET_RING, 0, 0),
            (Does.REFUSE, Refusal.REJECTED, 1),
            (Does.REFUSE, Refusal.REJECTED, 0),
            (Does.LET_RING, 1, 1),
        )
        return self.calls_in(*self.rng.choice(kinds))

    def somebody_calls_in(self) -> str:
        """Have a customer call whose kind is drawn."""
        draw, rng = self.rng.random(), self.rng
        # About a third is told by SMS that they were not reached.
        # None of them is congested: a network that refuses for want of room makes the whole trunk rest.
        kinds: tuple[tuple[float, Does, str | int, str | int], ...] = (
            (0.50, Does.TALK, rng.randint(0, 2), rng.randint(1, 3)),
            (0.62, Does.NOT_NEEDED, rng.randint(0, 1), 0),
            (0.70, Does.REFUSE, Refusal.BUSY, 1),
            (0.82, Does.REFUSE, Refusal.REJECTED, 1),
            (0.93, Does.LET_RING, rng.randint(0, 1), 1),
            (0.97, Does.REFUSE, Refusal.UNKNOWN, 0),
            (1.01, Does.HANG_UP, 0, 1),
        )
        return next(self.calls_in(does, s, t) for most, does, s, t in kinds if draw < most)

    @asynccontextmanager
    async def load(self, *, per_s: float, who: Callable[[], object] | None = None) -> AsyncIterator[None]:
        """Have customers call for the length of the block, but no more than can be served in the end.

        Who gets an SMS answers it. It begins when some of them wait for their callback. `who` has one of them call;
        None: `somebody_calls_in`. Raises TimeoutError: nobody was promised one.
        """
        began = len(self.ledger.facts())

        async def calling() -> None:
            while True:
                if len(self._owed(began)) < MOST_OWED:
                    (who or self.somebody_calls_in)()
                await asyncio.sleep(self.rng.expovariate(per_s))

        tasks = [asyncio.create_task(calling()), asyncio.create_task(self.post.answer_all())]
        try:
            await self._some_owed(began)
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def seen(self, kind: Kind, number: str, *, since: int = 0, timeout_s: float = 40) -> Fact:
        """Return the first fact of this kind about a number. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            while True:
                for fact in self.ledger.facts()[since:]:
                    if fact.kind is kind and fact.number == number:
                        return fact
                await asyncio.sleep(0.02)

    async def long_talks(self, count: int) -> None:
        """Have customers be called back who then talk for as long as they are let. Raises TimeoutError."""
        numbers = [self.calls_in(Does.TALK, 0, 9) for _ in range(count)]
        await asyncio.gather(*(self.seen(Kind.TALK, number, timeout_s=90) for number in numbers))
        self.talking += numbers

    async def settle(self) -> list[str]:
        """See that the long talks have lasted, end them, and wait until nothing is owed; return what was not so."""
        up = {leg.number for leg in legs_of(self.ledger.facts()[self.since :]) if leg.ended_s == float("inf")}
        wrong = [f"the talk with {number} did not last" for number in self.talking if number not in up]
        await self.end_long_talks()
        if await self._drained():
            return wrong
        left = {name: await one.cli("core show channels concise") for name, one in self._asterisks()}
        for _, one in self._asterisks():  # So that what is left is this fault's alone.
            await one.cli("channel request hangup all")
        return [*wrong, f"something was still going on, and not getting on any more: {left}"]

    def _asterisks(self) -> tuple[tuple[str, Asterisk], ...]:
        return ("pbx", self.pbx), ("carrier", self.carrier)

    async def end_long_talks(self) -> None:
        """Have those who talk for as long as they are let hang up."""
        legs = {fact.leg for fact in self.ledger.facts() if fact.kind is Kind.INVITE and fact.number in self.talking}
        self.talking.clear()
        for line in (await self.carrier.cli("core show channels concise")).splitlines():
            channel, *_, leg = line.split("!")
            if leg in legs:
                said = await self.carrier.cli(f"channel redirect {channel} hangs-up,s,1")
                if "No such command" in said:
                    raise RuntimeError(f"the carrier cannot have {channel} hang up: {said}")

    def _owed(self, since: int) -> set[str]:
        """Return who was told that they will be called, and has not been talked with, or written to for good."""
        facts = self.ledger.facts()[since:]
        asked = {fact.number for fact in facts if asks(fact)}
        return asked - {fact.number for fact in facts if settles(fact, RULES)}

    async def _some_owed(self, since: int, *, timeout_s: float = 60) -> None:
        async with asyncio.timeout(timeout_s):
            while True:
                if len(self._owed(since)) >= LEAST_OWED:
                    return
                await asyncio.sleep(0.1)

    async def _drained(self) -> bool:
        """Wait until nothing is owed and nobody is on the phone any more; False when it does not come to that.

        A last SMS may be on its way, and may never come where the provider lost it: that is for the judge to say.
        """
        if not await self._over({Fault.LOST}, DRAIN_S, stuck_s=STUCK_S):
            return False
        await self._over({Fault.LOST, Fault.UNTOLD}, LAST_SMS_S, stuck_s=LAST_SMS_S)
        return True

    async def _over(self, owed: set[Fault], timeout_s: float, *, stuck_s: float) -> bool:
        """Wait until it is; False after `timeout_s`, or when no fact has come for `stuck_s`."""
        seen, news_s = 0, time.monotonic()
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while time.monotonic() - news_s < stuck_s:
                    facts = self.ledger.facts()[self.since :]
                    if len(facts) != seen:
                        seen, news_s = len(facts), time.monotonic()
                    is_owed = any(finding.fault in owed for finding in judge(facts, RULES))
                    up = any(leg.ended_s == float("inf") for leg in legs_of(facts))
                    if not is_owed and not up and await self._channels() == 0:
                        return True
                    await asyncio.sleep(0.5)
        return False

    async def _channels(self) -> int:
        said = await self.carrier.cli("core show channels count")
        found = re.match(r"(\d+) active channel", said)
        return int(found[1]) if found else -1


async def back_in_control(controller: ControllerProcess, *, since_s: float) -> float:
    """Start a controller; return the seconds from `since_s` (monotonic) until it was in control.

    Raises ControllerFailedError.
    """
    await controller.start()
    return time.monotonic() - since_s


@asynccontextmanager
async def running_bench(home: Path, rng: random.Random) -> AsyncIterator[Bench]:
    """Run everything but the controller. Raises what `lab.pbx.running_pair` raises."""
    logins: list[AmiLogin] = []
    async with (
        running_post(home, rng) as post,
        running_pair(
            home, agents=AGENTS, customers=1, language="en", furnish=lambda site: logins.append(furnish(site))
        ) as (site, pbx, carrier),
    ):
        changes = {**QUICK, ("[queues]", "language"): '"en"'}
        settings = write_settings(site, changes, edit=lambda text: post.settings(for_chaos(text)))
        async with (
            running_ledger(site, (post.record, post.booked), home / "ledger.jsonl") as ledger,
            far_end(logins[0], CALLBACK_NUMBER) as far,
        ):
            yield Bench(site, pbx, carrier, settings, ledger, far, post, rng)


def for_chaos(text: str) -> str:
    """Return the settings with an entrance that asks for a number at once, and short gaps for every outcome."""
    entrance = (
        f'[[entrances]]\nname = "callback"\ndialled_numbers = ["{CALLBACK_NUMBER}"]\nlanguage = "en"\n'
        'welcome = "welcome"\nleads_to = { callback = "support" }\n\n'
    )
    # By itself Japan has three calls a day, and a request has four here: the fourth would come tomorrow.
    rule = '[[dialer.calling_rules]]\ncountry = "JP"\nmax_attempts_per_24h = 1000\n\n'
    text = re.sub(r"^(?=\[\[queues\]\])", entrance + rule, text, count=1, flags=re.MULTILINE)
    if "[queues.retry_gap_s]" in text:
        gaps = "".join(f"{outcome} = {GAP_S:g}\n" for outcome in OUTCOMES)
        return re.sub(r"(?m)^(\[queues\.retry_gap_s\].*\n)(?:\w+ = .*\n)*", rf"\1{gaps}", text, count=1)
    text = re.sub(r"(?ms)^\[queues\.retry\.\w+\].*?(?=^\[|^#\[|\Z)", "", text)
    tables = "".join(f"[queues.retry.{outcome}]\ngap_s = {GAP_S:g}\njitter = 0\n\n" for outcome in OUTCOMES)
    return re.sub(r"^(?=\[\[agents\]\])", tables, text, count=1, flags=re.MULTILINE)
